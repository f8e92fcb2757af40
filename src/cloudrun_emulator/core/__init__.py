"""Foundations of every part: interfaces, resource names, refusals, time, official messages."""
