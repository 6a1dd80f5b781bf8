//! Events that webhooks can hear of.
//!
//! The documents name six and promise one for every analysis result; the others follow their
//! style. Each event that carries data has a twin `<name>.notification` that carries none.
//! Every name can be subscribed; those of modules that are not built do not fire.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::scope::Scope;

/// What a notification's name ends with.
const NOTIFICATION: &str = ".notification";

/// A name that is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a known event")]
pub struct UnknownEvent;

macro_rules! topics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $carries:ident, [$($scope:ident),*];)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Topic {
            $($(#[$doc])* $variant,)*
        }

        impl Topic {
            /// Everything that can happen, documented events first.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Which forms exist.
            pub const fn carries(self) -> Carries {
                match self {
                    $(Self::$variant => Carries::$carries,)*
                }
            }

            /// Scopes of which the client needs one to subscribe; none needed when empty.
            pub const fn scopes(self) -> &'static [Scope] {
                match self {
                    $(Self::$variant => &[$(Scope::$scope),*],)*
                }
            }
        }
    };
}

/// Which forms of an event exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// One with data, and its notification without.
    Data,
    /// Only the notification.
    Nothing,
}

topics! {
    /// A person's cockpit is ready.
    PersonCockpit = "personcockpit", Data, [Cockpits];
    /// A company's cockpit is ready.
    CompanyCockpit = "companycockpit", Data, [Cockpits];
    /// A person's recommendations are ready.
    PersonCockpitRecommendations = "personcockpit-recommendations", Data, [Cockpits];
    /// A company's recommendations are ready.
    CompanyCockpitRecommendations = "companycockpit-recommendations", Data, [Cockpits];
    /// Recommendations are ready; only the notification is documented (C-42).
    CockpitRecommendations = "cockpitrecommendations", Nothing, [Cockpits];
    /// An automatic synchronisation failed.
    UbaSyncError = "ubasyncerror", Data, [BankingConnect];
    /// Accounts changed.
    Banking = "banking", Data, [BankingFetch];
    /// A bank account was connected.
    UbaConnect = "ubaconnect", Data, [BankingConnect];
    /// An automatic synchronisation succeeded.
    UbaSync = "ubasync", Data, [BankingConnect];
    /// The state of a bank login changed.
    UbaSyncStatus = "ubasyncstatus", Data, [BankingConnect];
    /// The state of a payment changed.
    MoneyTransfer = "moneytransfer", Data, [BankingPayment];
    /// Tags are ready.
    Categorization = "categorization", Data, [Categorization];
    /// Detected accounts are ready.
    AccountDetection = "accountdetection", Data, [AccountDetection];
    /// Balances are ready.
    AccountHistory = "accounthistory", Data, [AccountHistory];
    /// Contracts are ready.
    Contracts = "contracts", Data, [Contracts];
    /// A person's income is ready.
    PersonIncome = "personincome", Data, [
        PersonIncomeAlimony, PersonIncomeChildBenefit, PersonIncomeInvestment, PersonIncomeLoan,
        PersonIncomeOther, PersonIncomeParentalAllowance, PersonIncomePension, PersonIncomeRental,
        PersonIncomeSalary, PersonIncomeSelfEmployment
    ];
    /// A person's spending is ready.
    PersonSpending = "personspending", Data, [
        PersonSpendingCredit, PersonSpendingCreditCard, PersonSpendingInsurance,
        PersonSpendingInvestment, PersonSpendingOther, PersonSpendingRent
    ];
    /// A person's risk is ready.
    PersonRisk = "personrisk", Data, [
        PersonRiskBackDebit, PersonRiskGarnishment, PersonRiskCollection, PersonRiskGambling,
        PersonRiskOverdraftAmount
    ];
    /// A household budget is ready.
    PersonHouseholdBudget = "personhouseholdbudget", Data, [PersonHouseholdBudget];
    /// An adult check is ready.
    PersonAdultCheck = "personadultcheck", Data, [PersonAdultCheck];
    /// A living situation is ready.
    PersonLivingSituation = "personlivingsituation", Data, [PersonLivingSituation];
    /// Indicators for a credit rating are ready.
    CreditRating = "creditrating", Data, [CreditRating];
    /// A renter's information is ready.
    RenterInformation = "renterinformation", Data, [RenterInformation];
    /// A comparison of names is ready.
    NameVerification = "nameverification", Data, [NameVerification];
    /// Cash transactions are ready.
    CompanyCash = "companycash", Data, [CompanyCash];
    /// Credits are ready.
    CompanyCredit = "companycredit", Data, [CompanyCredit];
    /// Customers and suppliers are ready.
    CompanyCustomerSupplier = "companycustomersupplier", Data, [CompanyCustomerSupplier];
    /// Foreign payments are ready.
    CompanyForeignPayment = "companyforeignpayment", Data, [CompanyForeignPayment];
    /// Insurances are ready.
    CompanyInsurance = "companyinsurance", Data, [CompanyInsurance];
    /// Internal bookings are ready.
    CompanyInternalBooking = "companyinternalbooking", Data, [CompanyInternalBooking];
    /// Investments are ready.
    CompanyInvestment = "companyinvestment", Data, [CompanyInvestment];
    /// Liquidity is ready.
    CompanyLiquidity = "companyliquidity", Data, [CompanyLiquidity];
    /// Risk is ready.
    CompanyRisk = "companyrisk", Data, [CompanyRisk];
    /// Other spending is ready.
    CompanySpendingOther = "companyspendingother", Data, [CompanySpendingOther];
    /// Staff is ready.
    CompanyStaff = "companystaff", Data, [CompanyStaff];
    /// Top categories are ready.
    CompanyTopCategory = "companytopcategory", Data, [CompanyTopCategory];
    /// Every module of a run is done.
    AnalysisFinished = "analysis.finished", Data, [];
    /// A run failed.
    AnalysisFailed = "analysis.failed", Data, [];
    /// A user was added.
    UserCreated = "user.created", Data, [];
    /// A user was changed.
    UserUpdated = "user.updated", Data, [];
    /// A user was deleted.
    UserDeleted = "user.deleted", Data, [];
    /// An end user cancelled a session.
    UserCanceled = "usercanceled", Data, [BankingConnect];
    /// A link to a cockpit was opened.
    CockpitLinkOpened = "cockpitlink.opened", Data, [Cockpits];
    /// A cockpit was sent to an advisor.
    CockpitShared = "cockpit.shared", Data, [Cockpits];
}

/// Whether an event carries data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// It carries data.
    Data,
    /// It only says that something happened.
    Notification,
}

/// An event that can be subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Event {
    topic: Topic,
    form: Form,
}

impl Event {
    /// The forms of a topic: with data where there is one, then the notification.
    pub fn forms(topic: Topic) -> impl Iterator<Item = Self> {
        let data = (topic.carries() == Carries::Data).then_some(Form::Data);
        data.into_iter()
            .chain([Form::Notification])
            .map(move |form| Self { topic, form })
    }

    /// Every event, documented ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        Topic::ALL.iter().copied().flat_map(Self::forms)
    }

    /// What happened.
    pub const fn topic(self) -> Topic {
        self.topic
    }

    /// Whether it carries data.
    pub const fn form(self) -> Form {
        self.form
    }

    /// Scopes of which the client needs one to subscribe; none needed when empty.
    pub const fn scopes(self) -> &'static [Scope] {
        self.topic.scopes()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.topic.as_str())?;
        match self.form {
            Form::Data => Ok(()),
            Form::Notification => formatter.write_str(NOTIFICATION),
        }
    }
}

impl FromStr for Event {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        let (name, form) = match text.strip_suffix(NOTIFICATION) {
            Some(name) => (name, Form::Notification),
            None => (text, Form::Data),
        };
        Topic::ALL
            .iter()
            .filter(|topic| topic.as_str() == name)
            .flat_map(|topic| Self::forms(*topic))
            .find(|event| event.form == form)
            .ok_or(UnknownEvent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for event in Event::all() {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
        assert_eq!(Event::all().count(), Topic::ALL.len() * 2 - 1);
    }

    #[test]
    fn documented_names_and_others() {
        for (name, form) in [
            ("personcockpit", Some(Form::Data)),
            ("companycockpit-recommendations", Some(Form::Data)),
            (
                "cockpitrecommendations.notification",
                Some(Form::Notification),
            ),
            ("cockpitrecommendations", None),
            ("ubasyncerror", Some(Form::Data)),
            ("categorization.notification", Some(Form::Notification)),
            ("categorization.notification.notification", None),
            ("Categorization", None),
            ("", None),
        ] {
            let event = name.parse::<Event>().ok();
            assert_eq!(event.map(Event::form), form, "{name}");
        }
    }

    #[test]
    fn data_of_a_scope_needs_that_scope() {
        let event: Event = "categorization".parse().expect("known");
        assert_eq!(event.scopes(), [Scope::Categorization]);
        let event: Event = "analysis.finished".parse().expect("known");
        assert!(event.scopes().is_empty());
    }
}
