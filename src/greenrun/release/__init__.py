"""What performs a release: build, push, migration, deploy, traffic, rollback, recovery."""
