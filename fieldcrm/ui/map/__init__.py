"""The map's page: its address scheme, its guard against outside requests, and what folium renders into it."""
