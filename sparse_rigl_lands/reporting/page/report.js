"use strict";
// Draws the figures and lets the controls above them show, hide and read curves. Without it, and on paper, the report
// shows pictures instead.
(() => {
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };

  function start(section) {
    const charts = JSON.parse(section.querySelector("script.data").textContent);
    const divs = [...section.querySelectorAll(".chart")];
    const form = section.querySelector(".controls");
    section.classList.add("interactive"); // a chart takes its width from the place that it is shown in
    try {
      divs.forEach((div, i) => Plotly.newPlot(div, charts[i].data, charts[i].layout, config));
    } catch (error) {
      section.classList.remove("interactive");
      throw error;
    }

    const shown = () => {
      const names = new Set([...form.querySelectorAll("[data-curve]:checked")].map((box) => box.dataset.curve));
      const boxes = [...form.querySelectorAll("[data-seed]")];
      const seeds = new Set(boxes.filter((box) => box.checked).map((box) => Number(box.dataset.seed)));
      return ({ name, seed }) => names.has(name) && (seed === null || !boxes.length || seeds.has(seed));
    };

    function showAndHide() {
      const isShown = shown();
      divs.forEach((div) => Plotly.restyle(div, { visible: div.data.map((trace) => isShown(trace.meta)) }));
      read();
    }

    function scale(type) {
      divs.forEach((div) => {
        const before = div.layout.yaxis.type;
        const { ranges, scales } = div.layout.meta;
        if (before === type || !scales) return;
        const changes = { "yaxis.type": type, "yaxis.dtick": type === "log" ? "D2" : null };
        if (ranges) changes["yaxis.range"] = ranges[type];
        else changes["yaxis.autorange"] = true;
        Plotly.relayout(div, changes);
      });
    }

    const slider = form.querySelector("[data-reading]");
    const output = form.querySelector("output");
    const readings = section.querySelector(".readings");
    const lines = (div) => div.data.filter((trace) => trace.text && trace.mode !== "markers");
    const places = slider
      ? [...new Set(divs.flatMap((div) => lines(div).flatMap((trace) => trace.x)))].sort((a, b) => a - b)
      : [];
    if (slider) slider.max = places.length - 1;

    // The values of all curves that are shown, at the place of the slider: for those who cannot point.
    function read() {
      if (!slider || !slider.dataset.used) return;
      const x = places[Number(slider.value)];
      const isShown = shown();
      const words = divs.flatMap((div) =>
        lines(div)
          .filter((trace) => isShown(trace.meta) && trace.x.includes(x))
          .map((trace) => trace.text[trace.x.indexOf(x)].split("<br>").filter((_, i) => i !== 1).join(": ")));
      output.textContent = String(Number(x.toPrecision(6)));
      slider.setAttribute("aria-valuetext", output.textContent);
      readings.hidden = false;
      readings.replaceChildren(...words.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
      const line = { type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line: { color: "#222", width: 1, dash: "dot" } };
      divs.forEach((div) => Plotly.relayout(div, { shapes: [line] }));
    }

    form.addEventListener("input", (event) => {
      const { target } = event;
      if (target.type === "checkbox") showAndHide();
      else if (target.type === "radio") scale(target.value);
      else if (target.type === "range") {
        target.dataset.used = "yes";
        read();
      }
    });
  }

  for (const section of document.querySelectorAll("section.figure")) {
    try {
      start(section);
    } catch (error) {
      console.error(error); // its picture is shown, and the other figures are drawn
    }
  }
})();
