"""What comes before the first prediction, in every server; nothing but the standard library here.

What the archive brings in ``code/vendor`` can be imported only once that is on the path, so this
module is imported first and imports the predictor last.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor
    from forecast_inference.telemetry.observation import Recorder


def prepare(model_dir: Path) -> None:
    """Let the archive's own libraries be found, and set the number of threads.

    They come last: they stand in for what is lacking and replace nothing that is installed, as they
    are made for the image's Python and another one may serve the archive.
    """
    vendor = str(model_dir / "code" / "vendor")
    if vendor not in sys.path and Path(vendor).is_dir():
        sys.path.append(vendor)
    # Read by the OpenMP of the model's library when that is imported. One thread per request is
    # fastest on batches this small, and the images leave the variable unset.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def load_predictor(model_dir: Path, recorder: Recorder) -> Predictor:
    """The predictor of an extracted archive, after it has answered the archive's own requests.

    Args:
        model_dir: the extracted archive.
        recorder: told of every request after those.

    Raises:
        ArtifactError: the archive cannot be served.
    """
    prepare(model_dir)
    from forecast_inference.handler import Predictor  # noqa: PLC0415 - after the path is set

    predictor = Predictor.load(model_dir, recorder=recorder)
    predictor.warm_up(model_dir)
    # What has been loaded stays: the collector need not look through it again for every request.
    gc.collect()
    gc.freeze()
    return predictor
