"""Sources (journal entries, goals, leads) and their copies in `documents`, which are searched and sent on."""
