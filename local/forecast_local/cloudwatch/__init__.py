"""CloudWatch with exact dimensions, composite alarms and AWS's initial alarm state."""
