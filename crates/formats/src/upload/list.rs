//! Walks a raw JSON array item by item, without ever holding all items.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer as _, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use wire::json::{InvalidInput, Object};

/// Hands every object of an array to `take`, with its position; an item that cannot be read comes
/// as an error with its path relative to the item. Stops at the first error that `take` returns.
///
/// # Errors
/// What `take` returned, or that this is no array.
pub(super) fn each<'a, T, F>(raw: &'a RawValue, take: F) -> Result<(), InvalidInput>
where
    T: Deserialize<'a>,
    F: FnMut(usize, Result<T, InvalidInput>) -> Result<(), InvalidInput>,
{
    let mut walk = Walk {
        take,
        next: 0,
        stopped: None,
        item: PhantomData,
    };
    if !raw.get().starts_with('[') {
        return Err(InvalidInput::new("", "must be an array"));
    }
    let read_all = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Fast(&mut walk));
    if let Some(error) = walk.stopped {
        return Err(error);
    }
    if read_all.is_ok() {
        return Ok(());
    }
    // One item has a wrong type. From there on each item is read for itself, so that the fault has
    // a path and, when it is tolerated, the others still count.
    let _ = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Careful(&mut walk));
    walk.stopped.map_or(Ok(()), Err)
}

struct Walk<T, F> {
    take: F,
    /// Position of the next item that was not handed over yet.
    next: usize,
    stopped: Option<InvalidInput>,
    item: PhantomData<T>,
}

impl<T, F> Walk<T, F>
where
    F: FnMut(usize, Result<T, InvalidInput>) -> Result<(), InvalidInput>,
{
    fn hand_over<E: serde::de::Error>(&mut self, item: Result<T, InvalidInput>) -> Result<(), E> {
        let position = self.next;
        self.next += 1;
        (self.take)(position, item).map_err(|error| {
            self.stopped = Some(error);
            E::custom("stopped")
        })
    }
}

/// Reads items straight from the array.
struct Fast<'w, T, F>(&'w mut Walk<T, F>);

impl<'de, T, F> Visitor<'de> for Fast<'_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(usize, Result<T, InvalidInput>) -> Result<(), InvalidInput>,
{
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(Object(item)) = items.next_element::<Object<T>>()? {
            self.0.hand_over(Ok(item))?;
        }
        Ok(())
    }
}

/// Reads items one by one from their own text, skipping those that were handed over already.
struct Careful<'w, T, F>(&'w mut Walk<T, F>);

impl<'de, T, F> Visitor<'de> for Careful<'_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(usize, Result<T, InvalidInput>) -> Result<(), InvalidInput>,
{
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for _ in 0..self.0.next {
            items
                .next_element::<IgnoredAny>()?
                .ok_or_else(|| A::Error::custom("shorter than before"))?;
        }
        while let Some(raw) = items.next_element::<&'de RawValue>()? {
            let item = wire::json::read::<Object<T>>(raw.get().as_bytes());
            self.0.hand_over(item.map(|Object(item)| item))?;
        }
        Ok(())
    }
}
