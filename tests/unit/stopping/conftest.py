from operated import *  # noqa: F403 - fixtures are found by being here
