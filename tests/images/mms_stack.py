"""The Multi Model Server, started with the configuration that sagemaker-inference writes for it.

The toolkit's own start needs root and refuses a second server on the machine; its configuration,
handler service and Python path are used here as they are.
"""

import os
import sys
from pathlib import Path

from sagemaker_inference import environment, model_server

folder = Path(sys.argv[1])
model_server._set_python_path()
properties = model_server._generate_mms_config_properties(
    environment.Environment(), model_server.DEFAULT_HANDLER_SERVICE
)
config = folder / "mms.properties"
config.write_text(properties.replace("0.0.0.0", "127.0.0.1"))  # noqa: S104 - it is replaced
command = Path(sys.executable).with_name("multi-model-server")
os.chdir(folder)  # it writes its logs here
os.execv(  # noqa: S606 - the server takes the place of this process
    command,
    [
        str(command), "--start", "--foreground",
        "--model-store", "/",
        "--models", f"model={environment.model_dir}",
        "--mms-config", str(config),
        "--log-config", model_server.DEFAULT_MMS_LOG_FILE,
    ],
)  # fmt: skip
