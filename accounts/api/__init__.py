"""The same services as the portal's pages, for billing and control panels: JSON over HTTP, below /api/v1/."""
