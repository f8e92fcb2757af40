"""What a Then asks of a release: each proof holds, or closes the gate with got and needs."""
