"""The actions of Application Auto Scaling that moto lacks: tags and scaling activities."""

import json

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from forecast_local.applicationautoscaling.models import LocalApplicationAutoscalingBackend


class LocalApplicationAutoScalingResponse(ApplicationAutoScalingResponse):
    """moto's answers, with tags and activities."""

    @property
    def _local(self) -> LocalApplicationAutoscalingBackend:
        backend = self.applicationautoscaling_backend
        assert isinstance(backend, LocalApplicationAutoscalingBackend)  # noqa: S101 - see extensions.py
        return backend

    def register_scalable_target(self) -> str:
        """RegisterScalableTarget; its tags are set when there are some."""
        answer = super().register_scalable_target()
        tags = self._get_param("Tags")
        if tags:
            self._local.tags_of(json.loads(answer)["ScalableTargetARN"]).update(tags)
        return answer

    def describe_scaling_activities(self) -> str:
        """DescribeScalingActivities, newest first; without pages."""
        wanted = {
            key: value
            for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")
            if (value := self._get_param(key)) is not None
        }
        found = [
            item
            for item in reversed(self._local.activities)
            if all(item[key] == value for key, value in wanted.items())
        ]
        return json.dumps({"ScalingActivities": found[: self._get_param("MaxResults") or 50]})

    def list_tags_for_resource(self) -> str:
        """ListTagsForResource."""
        return json.dumps({"Tags": self._local.tags_of(self._get_param("ResourceARN"))})

    def tag_resource(self) -> str:
        """TagResource."""
        self._local.tags_of(self._get_param("ResourceARN")).update(self._get_param("Tags"))
        return "{}"

    def untag_resource(self) -> str:
        """UntagResource."""
        tags = self._local.tags_of(self._get_param("ResourceARN"))
        for key in self._get_param("TagKeys"):
            tags.pop(key, None)
        return "{}"
