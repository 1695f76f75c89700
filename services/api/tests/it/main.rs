//! The service as clients meet it: through the real router, on a real database.
