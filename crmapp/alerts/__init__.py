"""What is wrong with the installation, told to its administrators on every page and by mail."""
