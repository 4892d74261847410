"""What a CloudFormation template stores: where, encrypted with what, and for how long."""
