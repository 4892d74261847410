"""Telemetry: what operators learn of requests, without anything of their payloads."""
