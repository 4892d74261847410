"""A CDK app for the tests of the local AWS: an environment whose model is fetched by files.

Context: ``files`` (folder), ``digest`` (64 hexadecimal digits), ``forecast`` (configuration file).
"""

from pathlib import Path

import aws_cdk as cdk

from forecast_config import LockedModel, PackagedModel, load_config
from forecast_stacks import add_environment

app = cdk.App(analytics_reporting=False)
digest = f"sha256:{app.node.get_context('digest')}"
files = Path(app.node.get_context("files"))
packaged_model = PackagedModel(
    archive=files,
    archive_digest=digest,
    files=files,
    model=LockedModel(
        name="forecaster",
        version="1",
        run_id="run",
        model_digest=digest,
        signature_digest=digest,
        libraries={"python": "3.12"},
    ),
)
for settings in load_config(Path(app.node.get_context("forecast"))).environments.values():
    # A folder of files has no golden requests for a heartbeat.
    alarms = settings.alarms.model_copy(update={"endpoint_down": None})
    add_environment(app, settings.model_copy(update={"alarms": alarms}), packaged_model)
app.synth()
