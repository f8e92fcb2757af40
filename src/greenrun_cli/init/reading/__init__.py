"""Where facts about a service stand: its Dockerfile, procedures of people, the live service."""
