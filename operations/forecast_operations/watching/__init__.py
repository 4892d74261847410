"""What runs now: state, alarms, scaling, traffic and logs of an environment."""
