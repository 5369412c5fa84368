"""Cases (vụ việc): everything of every level about one matter."""
