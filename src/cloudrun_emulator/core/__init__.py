"""What every part uses: interfaces, resource names, refusals, time, official messages."""
