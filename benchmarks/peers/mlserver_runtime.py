"""The boosters in MLServer: a named column for each feature, or one nameless tensor for all."""

import os
from pathlib import Path

import lightgbm
import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, PandasCodec
from mlserver.types import InferenceRequest, InferenceResponse

OUTPUTS = ("forecasted_price", "forecasted_demand")


class Boosters(MLModel):
    """Both boosters behind the V2 inference protocol."""

    async def load(self) -> bool:
        """Load the boosters."""
        folder = Path(os.environ["BOOSTERS"])
        files = [folder / f"{output}.txt" for output in OUTPUTS]
        self._boosters = [lightgbm.Booster(model_file=str(file)) for file in files]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One output tensor for a tensor of shape (rows, features), or for a column of each."""
        if len(payload.inputs) == 1:
            rows = NumpyCodec.decode_input(payload.inputs[0])
        else:
            rows = PandasCodec.decode_request(payload)[self._boosters[0].feature_name()]
        predicted = [booster.predict(rows, num_threads=1) for booster in self._boosters]
        output = NumpyCodec.encode_output("predictions", np.column_stack(predicted))
        return InferenceResponse(model_name=self.name, outputs=[output])
