"""One search over leads, people, journal entries, documents and jobs."""
