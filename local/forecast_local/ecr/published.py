"""AWS's own serving images, which are in accounts of AWS's."""

import json
from typing import Any

from moto.ecr.models import ECRBackend, Image

from forecast_config.images import registry_accounts, serving_images

_of_the_account = ECRBackend.batch_get_image


def batch_get_image(
    self: ECRBackend,
    repository_name: str,
    registry_id: str | None = None,
    image_ids: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Find the images that AWS publishes in AWS's account of the region, others in one's own.

    moto knows the repositories of the asking account only.
    """
    published = {(each.repository, each.tag) for each in serving_images().values()}
    if registry_id is None or registry_id != registry_accounts().get(self.region_name):
        return _of_the_account(self, repository_name, registry_id, image_ids)
    answer: dict[str, Any] = {"images": [], "failures": []}
    for wanted in image_ids or []:
        tag = wanted.get("imageTag", "")
        if (repository_name, tag) in published:
            manifest = json.dumps({"layers": [{"digest": f"{repository_name}:{tag}"}]})
            image = Image(self.account_id, tag, manifest, repository_name, registry_id=registry_id)
            answer["images"].append(image)
        else:
            reason = "Requested image not found"
            failure = {"imageId": wanted, "failureCode": "ImageNotFound", "failureReason": reason}
            answer["failures"].append(failure)
    return answer
