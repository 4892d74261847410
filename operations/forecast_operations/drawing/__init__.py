"""Pictures of dashboards: what a template or an account has, drawn on this machine."""
