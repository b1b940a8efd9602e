"""Whether an encoded image is whole, by decoders that do not make up for what is damaged."""

import io

import PIL.Image
import simplejpeg

_JPEG = b"\xff\xd8"
_DECODED_AS = {"CMYK": "CMYK", "YCCK": "CMYK", "Gray": "Gray"}  # a JPEG's own colours, where they are not RGB


def fault_of(encoded: bytes) -> str:
    """The first fault of an image file; empty if there is none.

    Args:
      encoded: a JPEG, PNG or BMP file.
    """
    try:
        if encoded.startswith(_JPEG):
            *_, colours, _ = simplejpeg.decode_jpeg_header(encoded)
            simplejpeg.decode_jpeg(encoded, _DECODED_AS.get(colours, "RGB"), strict=True)
        else:
            with PIL.Image.open(io.BytesIO(encoded)) as image:
                image.load()
    except PIL.UnidentifiedImageError:
        return "not an image"
    # Pillow raises a SyntaxError of a PNG whose parts are broken, and an error of its own where one is too large.
    except (ValueError, OSError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        return str(error).strip() or type(error).__name__
    return ""
