"""What the tests of claims share: a finished study, and its verdicts computed twice."""

import functools

import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.studies import claims, study_results
from tests.studies import finished_study, recomputed_claims


@pytest.fixture(scope="session")
def collected(tmp_path_factory):
    """What a study has found; of equal ones the files are written once."""

    @functools.cache
    def collect(settings):
        study, written = finished_study.study(**dict(settings)), files.StudyFiles(tmp_path_factory.mktemp("study"))
        return study, study_results.collect(study, written, [], finished_study.write(study, written))

    def collected(without, settings):
        """The study, its runs and its paths; the rows are copies."""
        study, found = collect(tuple(settings.items()))
        return study, *([dict(row) for row in rows if row["run"] not in without] for rows in (found.runs, found.paths))

    return collected


@pytest.fixture
def judged(collected, tmp_path):
    """The claims of a study whose results were changed, by their numbers, and their verdicts, computed twice."""

    def judged(change_run=lambda row: None, change_path=lambda row: None, without=frozenset(), **settings):
        written = files.StudyFiles(tmp_path)
        study, runs, paths = collected(without, settings)
        for row in runs:
            change_run(row)
        for row in paths:
            change_path(row)
        for rows, table in ((runs, written.table), (paths, written.paths_table)):
            table.unlink(missing_ok=True)
            if rows:
                storage.write_csv(table, rows)
        once_more = recomputed_claims.verdicts(
            tmp_path,
            study.sparsity,
            len(study.seeds),
            {claim: sum(path.claim == claim for path in study.paths()) for claim in (2, 3, 4)},
            [fraction for fraction in study.zeroed_fractions if fraction],
            study.confidence,
            study.accuracy_tolerance,
        )
        by_number = {claim.number: claim for claim in claims.judge(study, runs, paths)}
        verdicts = {number: claim.verdict for number, claim in by_number.items()}
        assert verdicts == once_more
        return by_number, list(verdicts.values())

    return judged
