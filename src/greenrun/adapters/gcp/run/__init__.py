"""Cloud Run: a service, its revisions, jobs and the lock, through the official clients."""
