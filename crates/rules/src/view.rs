//! A transaction prepared for matching: which piece of text plays which role.

use std::cell::OnceCell;

use domain::{Account, AccountType, Transaction};
use memchr::memchr_iter;

use crate::business;
use crate::codes;
use crate::evidence::{Field, Span};
use crate::intermediary::{Intermediaries, IntermediaryId};
use crate::normalize;
use crate::normalize::sepa::{self, PartKind};
use crate::people::{self, FirstNames};
use crate::rule::Direction;

/// Most pieces of text that one transaction is split into.
pub const SEGMENTS_MAX: usize = 10;
/// Words of an account holder's name that say nothing about who it is.
const TITLES: [&str; 12] = [
    "dr", "prof", "med", "herr", "frau", "dipl", "ing", "und", "gmbh", "co", "kg", "inh",
];

/// What the account that a transaction is booked on contributes to its meaning.
#[derive(Debug, Clone, Default)]
pub struct AccountContext {
    account_type: AccountType,
    /// Normalised words of the holder's name; empty unless there are two or more.
    holder: Vec<String>,
    /// Normalised IBANs of all accounts of the user.
    own_ibans: Vec<String>,
}

impl AccountContext {
    /// The context of an account whose holder owns `all` of these accounts.
    pub fn new(account: &Account, all: &[Account]) -> Self {
        let ibans = all.iter().map(|account| account.iban.as_str());
        Self::from_parts(account.account_type, account.owner.as_str(), ibans)
    }

    /// The context from what is known of the account.
    pub fn from_parts<'a>(
        account_type: AccountType,
        owner: &str,
        own_ibans: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut holder: Vec<String> = normalize::words(owner)
            .into_iter()
            .map(|word| word.folded)
            .filter(|word| word.len() > 1 && !TITLES.contains(&word.as_str()))
            .collect();
        if holder.len() < 2 {
            holder.clear();
        }
        let mut own_ibans: Vec<String> = own_ibans
            .map(domain::iban::normalize)
            .filter(|iban| !iban.is_empty())
            .collect();
        own_ibans.sort_unstable();
        own_ibans.dedup();
        Self {
            account_type,
            holder,
            own_ibans,
        }
    }

    pub(crate) const fn account_type(&self) -> AccountType {
        self.account_type
    }

    pub(crate) fn holder(&self) -> &[String] {
        &self.holder
    }

    pub(crate) fn owns(&self, iban: &str) -> bool {
        let same = |own: &String| {
            let mut bytes = iban.bytes().filter(|byte| !byte.is_ascii_whitespace());
            own.bytes().all(|byte| {
                bytes
                    .next()
                    .is_some_and(|other| other.to_ascii_uppercase() == byte)
            }) && bytes.next().is_none()
        };
        self.own_ibans.iter().any(same)
    }
}

/// The parts that a piece of text plays for the conditions of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Roles(u8);

impl Roles {
    /// None: the text names a payment service, which is no merchant.
    pub const NONE: Self = Self(0);
    /// The other side, or the merchant behind a payment service.
    pub const COUNTERPARTY: Self = Self(1);
    /// What the payment is for.
    pub const PURPOSE: Self = Self(2);
    /// The bank's word for the booking.
    pub const BOOKING_TEXT: Self = Self(4);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one role is in both.
    pub const fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A piece of text with its roles.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// The text, as sent.
    pub text: &'a str,
    /// First byte of the text in its field.
    pub offset: u32,
    /// The field it is a piece of.
    pub field: Field,
    /// The parts it plays.
    pub roles: Roles,
}

impl Segment<'_> {
    const EMPTY: Self = Self {
        text: "",
        offset: 0,
        field: Field::Purpose,
        roles: Roles::NONE,
    };

    /// The segment without blanks at its ends.
    fn trimmed(self) -> Self {
        let text = self.text.trim_start();
        let blanks = self.text.len().saturating_sub(text.len());
        Self {
            text: text.trim_end(),
            offset: self.offset.saturating_add(offset(blanks)),
            ..self
        }
    }

    pub(crate) fn span(&self) -> Span {
        Span {
            field: self.field,
            start: self.offset,
            end: self.offset.saturating_add(offset(self.text.len())),
        }
    }
}

/// A prepared transaction. Borrows all of its text.
///
/// What only some rules ask about the other side is found out when the first of them asks.
#[derive(Debug, Clone)]
pub struct View<'a> {
    transaction: &'a Transaction,
    context: &'a AccountContext,
    first_names: &'a FirstNames,
    segments: [Segment<'a>; SEGMENTS_MAX],
    len: u8,
    direction: Direction,
    has_mandate: bool,
    intermediary: Option<IntermediaryId>,
    creditor: Segment<'a>,
    merchant: Segment<'a>,
    /// Whether the first segment is the counterparty's own name, which may be a person's.
    is_named: bool,
    person: OnceCell<bool>,
    merchants: OnceCell<bool>,
    business: OnceCell<bool>,
    card: OnceCell<bool>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        transaction: &'a Transaction,
        context: &'a AccountContext,
        (services, first_names): (&Intermediaries, &'a FirstNames),
    ) -> Self {
        let mut view = Self {
            transaction,
            context,
            first_names,
            segments: [Segment::EMPTY; SEGMENTS_MAX],
            len: 0,
            direction: direction_of(transaction),
            has_mandate: !transaction.mandate_id.is_empty(),
            intermediary: None,
            creditor: Segment {
                text: &transaction.counterparty.creditor_id,
                field: Field::CreditorId,
                ..Segment::EMPTY
            },
            merchant: Segment::EMPTY,
            is_named: false,
            person: OnceCell::new(),
            merchants: OnceCell::new(),
            business: OnceCell::new(),
            card: OnceCell::new(),
        };
        let merchant_is = view.read_counterparty(services);
        view.read_sides();
        view.read_purpose(merchant_is, services);
        view
    }

    /// Reads the counterparty's name and says where else the merchant may stand.
    fn read_counterparty(&mut self, services: &Intermediaries) -> MerchantIs {
        let name = self.transaction.counterparty.name.as_str();
        let place = cut_place(name);
        if place.trim().is_empty() {
            return MerchantIs::InPurpose;
        }
        let Some(found) = services.recognise(place) else {
            self.is_named = true;
            self.push(Segment {
                text: place,
                offset: 0,
                field: Field::Counterparty,
                roles: Roles::COUNTERPARTY,
            });
            return MerchantIs::Counterparty;
        };
        self.intermediary = Some(found.id);
        let telling = services.get(found.id).telling;
        let name = Segment {
            text: place,
            offset: 0,
            field: Field::Counterparty,
            roles: Roles::COUNTERPARTY,
        };
        let merchant = found.merchant_at.map(|at| Segment {
            text: &place[at..],
            offset: offset(at),
            ..name
        });
        self.merchant = merchant.map_or(Segment::EMPTY, Segment::trimmed);
        match merchant.filter(|_| !telling) {
            Some(merchant) => self.push(merchant),
            None if telling => self.push(name),
            None => return MerchantIs::InPurpose,
        }
        MerchantIs::Counterparty
    }

    fn read_purpose(&mut self, merchant_is: MerchantIs, services: &Intermediaries) {
        let purpose = self.transaction.remittance_info.as_str();
        for part in sepa::split(purpose).as_slice() {
            let text = &purpose[part.start..part.end];
            let segment = Segment {
                text,
                offset: offset(part.start),
                field: Field::Purpose,
                roles: Roles::PURPOSE,
            };
            match part.kind {
                PartKind::Text => match merchant_is {
                    MerchantIs::Counterparty => {
                        self.note_merchant(segment, services);
                        self.push(segment);
                    }
                    MerchantIs::InPurpose => self.push_merchant(segment, services),
                },
                PartKind::Reference => {}
                PartKind::Mandate => self.has_mandate |= text != "NOTPROVIDED",
                PartKind::Creditor => self.set_creditor(segment),
                // The bank repeats the name that stands in its own field already.
                PartKind::Counterparty => match merchant_is {
                    MerchantIs::Counterparty => {}
                    MerchantIs::InPurpose => self.push_as(segment, Roles::COUNTERPARTY),
                },
                PartKind::UltimateCreditor => self.push_side(segment, Direction::Debit),
                PartKind::UltimateDebtor => self.push_side(segment, Direction::Credit),
            }
        }
    }

    /// Keeps the merchant that the remittance information names behind a telling service.
    fn note_merchant(&mut self, segment: Segment<'a>, services: &Intermediaries) {
        let Some(service) = self.intermediary.filter(|_| self.merchant.text.is_empty()) else {
            return;
        };
        if let Some(at) = services.get(service).merchant_in(segment.text) {
            self.merchant = Segment {
                text: &segment.text[at..],
                offset: segment.offset.saturating_add(offset(at)),
                ..segment
            }
            .trimmed();
        }
    }

    /// The field of its own wins over what the remittance information repeats.
    fn set_creditor(&mut self, segment: Segment<'a>) {
        if self.creditor.text.is_empty() {
            self.creditor = segment;
        }
    }

    /// A text of the remittance information that names the merchant.
    ///
    /// What follows a double slash is the place of a card payment, whose name may be a word of
    /// some rule: `//Essen/DE`.
    fn push_merchant(&mut self, segment: Segment<'a>, services: &Intermediaries) {
        let head = cut_place(segment.text);
        let at = self.merchant_start(head, services);
        if self.intermediary.is_some() && self.merchant.text.is_empty() {
            let offset = segment.offset.saturating_add(offset(at));
            let text = &head[at..];
            self.merchant = Segment {
                text,
                offset,
                ..segment
            }
            .trimmed();
        }
        let both = Roles::COUNTERPARTY.and(Roles::PURPOSE);
        let (before, rest) = segment.text.split_at(at);
        self.push(Segment {
            text: before,
            ..segment
        });
        let (name, place) = rest.split_at(head.len().saturating_sub(at));
        let name_at = segment.offset.saturating_add(offset(at));
        let place_at = segment.offset.saturating_add(offset(head.len()));
        self.push(Segment {
            text: name,
            offset: name_at,
            roles: both,
            ..segment
        });
        self.push(Segment {
            text: place,
            offset: place_at,
            ..segment
        });
    }

    fn merchant_start(&mut self, head: &str, services: &Intermediaries) -> usize {
        match self.intermediary {
            // Cut texts end with the words that should introduce the name.
            Some(id) => services
                .get(id)
                .merchant_in(head)
                .filter(|at| !head[*at..].trim().is_empty())
                .unwrap_or(0),
            None => services.recognise(head).map_or(0, |found| {
                self.intermediary = Some(found.id);
                found.merchant_at.unwrap_or(0)
            }),
        }
    }

    fn read_sides(&mut self) {
        let transaction = self.transaction;
        self.push_as(
            Segment {
                text: &transaction.booking_text,
                field: Field::BookingText,
                ..Segment::EMPTY
            },
            Roles::BOOKING_TEXT,
        );
        self.push_side(
            Segment {
                text: transaction.ultimate_creditor.as_str(),
                field: Field::UltimateCreditor,
                ..Segment::EMPTY
            },
            Direction::Debit,
        );
        self.push_side(
            Segment {
                text: transaction.ultimate_debtor.as_str(),
                field: Field::UltimateDebtor,
                ..Segment::EMPTY
            },
            Direction::Credit,
        );
    }

    /// An ultimate party is the other side only for money that goes its way; else it is the user.
    fn push_side(&mut self, segment: Segment<'a>, direction: Direction) {
        if self.direction == direction {
            self.push_as(segment, Roles::COUNTERPARTY);
        }
    }

    fn push_as(&mut self, segment: Segment<'a>, roles: Roles) {
        self.push(Segment { roles, ..segment });
    }

    /// Adds a segment; what exceeds the limit is left out, which [`SEGMENTS_MAX`] makes unlikely.
    fn push(&mut self, segment: Segment<'a>) {
        if segment.text.is_empty() {
            return;
        }
        if let Some(place) = self.segments.get_mut(usize::from(self.len)) {
            *place = segment;
            self.len = self.len.saturating_add(1);
        }
    }

    /// The pieces of text, in a fixed order.
    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments[..usize::from(self.len)]
    }

    /// The transaction as sent.
    pub const fn transaction(&self) -> &'a Transaction {
        self.transaction
    }

    /// Which way the money goes.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Whether a direct-debit mandate is named.
    pub const fn has_mandate(&self) -> bool {
        self.has_mandate
    }

    /// Whether a segment is the name of a person. A single word of it is then a first name or a
    /// surname, and only phrases are looked for: "Anna Metzger" is no butcher.
    pub fn is_personal(&self, segment: usize) -> bool {
        let is_person = || !self.is_merchants() && self.first_names.is_person(self.transaction);
        segment == 0 && self.is_named && *self.person.get_or_init(is_person)
    }

    /// Whether the other side is visibly a business: by card, mandate, code or company form.
    pub fn is_business(&self) -> bool {
        let is_business = || {
            self.has_mandate
                || !self.creditor.text.is_empty()
                || self.is_merchants()
                || self.is_card_merchant()
                || business::is_business(self.transaction)
        };
        *self.business.get_or_init(is_business)
    }

    /// Whether a merchant's name alone stands there: a card text, or behind a payment service.
    pub fn is_card_merchant(&self) -> bool {
        let is_card = || business::is_card_merchant(self.transaction);
        self.intermediary.is_some() || *self.card.get_or_init(is_card)
    }

    fn is_merchants(&self) -> bool {
        let is_merchants = || people::is_merchants(self.transaction);
        *self.merchants.get_or_init(is_merchants)
    }

    /// The payment service between payer and merchant.
    pub const fn intermediary(&self) -> Option<IntermediaryId> {
        self.intermediary
    }

    /// The merchant behind the payment service as far as the text names it, else empty.
    pub const fn merchant(&self) -> &'a str {
        self.merchant.text
    }

    /// The names of the other side: the whole field, the field without the place of a card payment,
    /// and the merchant behind a payment service.
    pub(crate) fn names(&self) -> impl Iterator<Item = Segment<'a>> + use<'a> {
        let name = self.transaction.counterparty.name.as_str();
        let whole = Segment {
            text: name,
            field: Field::Counterparty,
            ..Segment::EMPTY
        };
        let without_place = Segment {
            text: cut_place(name),
            ..whole
        };
        [whole, without_place, self.merchant]
            .into_iter()
            .filter(|name| !name.text.is_empty())
    }

    /// Where the merchant behind the payment service stands.
    pub fn merchant_span(&self) -> Option<Span> {
        (!self.merchant.text.is_empty()).then(|| self.merchant.span())
    }

    /// The creditor identifier, from its field or from the remittance information.
    pub const fn creditor_id(&self) -> &Segment<'a> {
        &self.creditor
    }

    pub(crate) const fn context(&self) -> &'a AccountContext {
        self.context
    }
}

/// Where a name of the merchant is to be looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MerchantIs {
    Counterparty,
    InPurpose,
}

/// The text before a double slash, behind which card payments name the place.
fn cut_place(text: &str) -> &str {
    let bytes = text.as_bytes();
    if !may_hold_slash(bytes) {
        return text;
    }
    let slash = memchr_iter(b'/', bytes).find(|at| bytes.get(at.wrapping_add(1)) == Some(&b'/'));
    slash.map_or(text, |at| &text[..at])
}

/// Whether a text may hold a slash: eight bytes at a time, since names are short and have none.
fn may_hold_slash(text: &[u8]) -> bool {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let (blocks, rest) = text.as_chunks::<8>();
    let mut found = 0;
    // The last block may overlap the one before.
    for block in blocks.iter().chain(text.last_chunk()) {
        let zeroed = u64::from_le_bytes(*block) ^ u64::from_le_bytes([b'/'; 8]);
        // A byte is zero only where the lowest bit is borrowed from above its highest.
        found |= zeroed.wrapping_sub(LOW) & !zeroed & HIGH;
    }
    found != 0 || blocks.is_empty() && rest.contains(&b'/')
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn direction_of(transaction: &Transaction) -> Direction {
    match transaction.amount.minor {
        1.. => Direction::Credit,
        ..=-1 => Direction::Debit,
        0 => transaction
            .transaction_code
            .and_then(codes::direction_of)
            .unwrap_or(Direction::Debit),
    }
}
