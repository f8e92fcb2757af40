"""Allure: a run of features as its results, evidence and report."""
