//! Webhook deliveries: sign, send, retry, in order per user.
