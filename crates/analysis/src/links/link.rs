//! What a link is.

/// A booking by its place in the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Index of the account.
    pub account_index: usize,
    /// Index of the transaction within the account.
    pub transaction_index: usize,
}

/// What bookings have to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkKind {
    /// Money moves between two accounts of the user.
    OwnTransfer,
    /// A credit card that is connected is settled.
    CardSettlement,
    /// A loan that is connected is paid.
    LoanPayment,
    /// A payment was taken back, possibly at a price.
    ReturnChain,
    /// A partner gives money back for what was bought.
    Refund,
}

impl LinkKind {
    /// The word in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnTransfer => "ownTransfer",
            Self::CardSettlement => "cardSettlement",
            Self::LoanPayment => "loanPayment",
            Self::ReturnChain => "returnChain",
            Self::Refund => "refund",
        }
    }
}

/// The part that a booking plays in a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemberRole {
    /// The account that pays.
    Outgoing,
    /// The account that receives.
    Incoming,
    /// The payment that was taken back.
    Original,
    /// What took it back.
    Return,
    /// What a bank charges for it.
    Fee,
    /// What was bought.
    Purchase,
    /// What was given back for it.
    Refund,
}

impl MemberRole {
    /// The word in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outgoing => "outgoing",
            Self::Incoming => "incoming",
            Self::Original => "original",
            Self::Return => "return",
            Self::Fee => "fee",
            Self::Purchase => "purchase",
            Self::Refund => "refund",
        }
    }
}

/// What a booking means for sums, so that each chain is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Counts {
    /// It is income or spending by its sign.
    #[default]
    Itself,
    /// It is neither: the money stays with the user, or the other side of it counts.
    Nowhere,
    /// It was spent or earned, but taken back: part of gross sums only.
    GrossOnly,
    /// It gives spending back: net sums subtract it from spending, and it is no income.
    LessSpending,
}

impl Counts {
    /// The word in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Nowhere => "nowhere",
            Self::GrossOnly => "grossOnly",
            Self::LessSpending => "lessSpending",
        }
    }
}

/// A booking of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// Where it is.
    pub place: Place,
    /// Its part.
    pub role: MemberRole,
    /// What it means for sums.
    pub counts: Counts,
}

/// Why bookings were linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The other side's IBAN is that of an own account.
    OwnIban,
    /// The text names the number of an own account.
    OwnNumber,
    /// The other side's IBAN belongs to the holder at another bank.
    KnownIban,
    /// The other side has the holder's name.
    HolderName,
    /// The other side has the holder's surname and initial.
    HolderInitial,
    /// The tag says so.
    Tag,
    /// Words of the text say so.
    Wording,
    /// The other account is of the kind that the text speaks of.
    AccountKind,
    /// Both texts are the same.
    SameText,
    /// The end-to-end references are the same.
    SameEndToEnd,
    /// The mandates are the same.
    SameMandate,
    /// The creditor identifiers are the same.
    SameCreditor,
    /// The other sides' IBANs are the same.
    SameIban,
    /// The other sides' names are the same.
    SameName,
    /// The texts share a number.
    SameNumber,
    /// The text names the day of the other booking.
    NamesDay,
    /// A reason code for returns stands in the text.
    ReasonCode,
    /// The bank's transaction code says so.
    TransactionCode,
    /// Nothing else has this amount.
    RareAmount,
    /// The amounts are the same but for the sign.
    SameAmount,
    /// The amounts fit the day's exchange rate.
    FitsRate,
    /// So many days lie between the bookings.
    DaysApart(u16),
    /// The other side is not among the bookings.
    OneSided,
}

impl Evidence {
    /// The evidence in words.
    pub fn words(self) -> std::borrow::Cow<'static, str> {
        let words = match self {
            Self::OwnIban => "IBAN of an own account",
            Self::OwnNumber => "number of an own account in the text",
            Self::KnownIban => "IBAN of the holder at another bank",
            Self::HolderName => "name of the account holder",
            Self::HolderInitial => "surname and initial of the account holder",
            Self::Tag => "tag",
            Self::Wording => "wording",
            Self::AccountKind => "kind of the other account",
            Self::SameText => "same text",
            Self::SameEndToEnd => "same end-to-end reference",
            Self::SameMandate => "same mandate",
            Self::SameCreditor => "same creditor identifier",
            Self::SameIban => "same IBAN",
            Self::SameName => "same name",
            Self::SameNumber => "same number in the text",
            Self::NamesDay => "day of the other booking in the text",
            Self::ReasonCode => "reason code of a return",
            Self::TransactionCode => "transaction code",
            Self::RareAmount => "rare amount",
            Self::SameAmount => "same amount",
            Self::FitsRate => "amount fits the exchange rate",
            Self::OneSided => "other side is not among the bookings",
            Self::DaysApart(0) => "same day",
            Self::DaysApart(1) => "1 day apart",
            Self::DaysApart(days) => return format!("{days} days apart").into(),
        };
        words.into()
    }
}

/// Bookings that have to do with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What they have to do with each other.
    pub kind: LinkKind,
    /// The bookings, oldest first.
    pub members: Vec<Member>,
    /// Why they were linked, without repetition.
    pub evidence: Vec<Evidence>,
    /// Index of the connected account on the other side of a one-sided transfer, if it is known.
    pub other_account: Option<usize>,
}
