//! What the relay publishes to.

use crate::error::QueueError;
use crate::message::Delivery;

/// Takes messages over for good. A trait because tests need a broker that loses, repeats and
/// reorders.
pub trait Broker: Send + Sync + 'static {
    /// Publishes a message and returns once the broker answers for it.
    ///
    /// # Errors
    /// The message may or may not have arrived; it has to be published again.
    fn publish(&self, delivery: &Delivery) -> impl Future<Output = Result<(), QueueError>> + Send;
}
