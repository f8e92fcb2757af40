"""What a Then asks of a release: each check holds, or closes the gate with got and needs."""
