//! Content folders, read from real disks.
