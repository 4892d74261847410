"""What training code calls: a profile of its data, calibrated intervals and their coverage.

Nothing here needs MLflow, a cloud or the model's library. A training script ends with

```python
from forecast_packaging.training import profile, split_conformal

serving["intervals"] = {
    "default_level": 0.9,
    "outputs": {"forecasted_price": split_conformal(actual, predicted, [0.8, 0.9, 0.95])},
}
mlflow.log_dict(serving, "artifacts/serving.json")
mlflow.log_dict(profile(training_frame), "artifacts/training_profile.json")
```
"""

from forecast_packaging.training.calibration import (
    conformalized_quantiles,
    rows_needed,
    split_conformal,
)
from forecast_packaging.training.coverage import Coverage, empirical_coverage
from forecast_packaging.training.profiles import profile

__all__ = [
    "Coverage",
    "conformalized_quantiles",
    "empirical_coverage",
    "profile",
    "rows_needed",
    "split_conformal",
]
