"""The credit that OpenStreetMap's licence (ODbL 1.0) asks for, wherever its data are shown."""

ATTRIBUTION = "© OpenStreetMap contributors"
LICENCE = "ODbL-1.0"
