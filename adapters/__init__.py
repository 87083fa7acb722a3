"""The places where people talk, one folder or file each. None knows another."""
