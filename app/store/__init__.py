"""Every SQL statement of the project. A function here takes a connection and is one part of one transaction."""
