//! Scopes: what a client, a user or a route is about, with every spelling in the documents (C-04).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A name that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a known scope")]
pub struct UnknownScope;

macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal $(, aka $alias:literal)*;)*) => {
        /// A scope, by its canonical name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Scope {
            $($(#[$doc])* $variant,)*
        }

        impl Scope {
            /// Every scope, in the order of the documents.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The canonical name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Names that differ from the canonical one by more than case and hyphens.
            pub const fn aliases(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($alias),*],)*
                }
            }
        }
    };
}

scopes! {
    /// All banking features.
    Banking = "banking";
    /// Raw accounts and transactions.
    BankingFetch = "banking-fetch";
    /// Connections to banks.
    BankingConnect = "banking-connect";
    /// Uploads of accounts and transactions.
    BankingUpload = "banking-upload", aka "bankingExternal";
    /// Money transfers.
    BankingPayment = "banking-payment";
    /// Tags of transactions.
    Categorization = "categorization";
    /// The tree of categories.
    CategorizationCategories = "categorization-categories";
    /// Accounts found in bookings.
    AccountDetection = "account-detection";
    /// Daily balances.
    AccountHistory = "account-history";
    /// Contracts.
    Contracts = "contracts";
    /// Cockpits, links, recommendations and advisors.
    Cockpits = "cockpits", aka "cockpit";
    /// Indicators for a credit rating.
    CreditRating = "credit-rating", aka "credits";
    /// What a landlord asks for.
    RenterInformation = "renter-information";
    /// Comparison of names.
    NameVerification = "name-verification";
    /// Alimony received.
    PersonIncomeAlimony = "person-income-alimony";
    /// Child benefit.
    PersonIncomeChildBenefit = "person-income-child-benefit";
    /// Income from investments.
    PersonIncomeInvestment = "person-income-investment";
    /// Loans paid out.
    PersonIncomeLoan = "person-income-loan";
    /// Other income.
    PersonIncomeOther = "person-income-other";
    /// Parental allowance.
    PersonIncomeParentalAllowance = "person-income-parental-allowance";
    /// Pensions.
    PersonIncomePension = "person-income-pension";
    /// Rent received.
    PersonIncomeRental = "person-income-rental";
    /// Salary.
    PersonIncomeSalary = "person-income-salary";
    /// Income from self-employment.
    PersonIncomeSelfEmployment = "person-income-self-employment";
    /// Credit instalments.
    PersonSpendingCredit = "person-spending-credit";
    /// Settlements of credit cards.
    PersonSpendingCreditCard = "person-spending-credit-card";
    /// Insurance premiums.
    PersonSpendingInsurance = "person-spending-insurance";
    /// Savings and investments.
    PersonSpendingInvestment = "person-spending-investment";
    /// Other spending.
    PersonSpendingOther = "person-spending-other";
    /// Rent paid.
    PersonSpendingRent = "person-spending-rent";
    /// Returned direct debits.
    PersonRiskBackDebit = "person-risk-back-debit";
    /// Garnishments.
    PersonRiskGarnishment = "person-risk-garnishment";
    /// Debt collection.
    PersonRiskCollection = "person-risk-collection";
    /// Gambling.
    PersonRiskGambling = "person-risk-gambling";
    /// Days in overdraft.
    PersonRiskOverdraftAmount = "person-risk-overdraft-amount";
    /// Household budget.
    PersonHouseholdBudget = "person-household-budget";
    /// Adult check.
    PersonAdultCheck = "person-adult-check";
    /// Living situation.
    PersonLivingSituation = "person-living-situation";
    /// Cash transactions.
    CompanyCash = "company-cash", aka "company-cash-transactions", aka "company-cashflow";
    /// Credits.
    CompanyCredit = "company-credit", aka "company-credits";
    /// Customers and suppliers.
    CompanyCustomerSupplier = "company-customer-supplier";
    /// Foreign payments.
    CompanyForeignPayment = "company-foreign-payment", aka "company-foreign-payments";
    /// Insurances.
    CompanyInsurance = "company-insurance", aka "company-insurances";
    /// Bookings between own accounts.
    CompanyInternalBooking = "company-internal-booking", aka "company-internal-bookings";
    /// Investments.
    CompanyInvestment = "company-investment", aka "company-investments";
    /// Liquidity.
    CompanyLiquidity = "company-liquidity";
    /// Risk.
    CompanyRisk = "company-risk";
    /// Other spending.
    CompanySpendingOther = "company-spending-other";
    /// Staff.
    CompanyStaff = "company-staff";
    /// Top categories.
    CompanyTopCategory = "company-top-category", aka "company-top-categories";
    /// Webhooks.
    Webhooks = "webhooks";
    /// Search for companies.
    Companies = "companies";
    /// Search for companies' logos.
    CompaniesLogo = "companiesLogo";
    /// Letters and faxes, first version of the API only.
    DocumentShipment = "documentShipment";
    /// Payment partners, first version of the API only.
    PaymentPartnerAnalysis = "paymentPartnerAnalysis";
}

impl Scope {
    /// What else is opened by holding this scope.
    pub const fn implied(self) -> &'static [Self] {
        if matches!(self, Self::Banking) {
            &[
                Self::BankingFetch,
                Self::BankingConnect,
                Self::BankingUpload,
                Self::BankingPayment,
            ]
        } else {
            &[]
        }
    }

    const fn bit(self) -> u64 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    /// Reads any spelling: letter case, hyphens and underscores do not matter.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let spelled = |name: &&str| same_letters(name, text);
        Self::ALL
            .iter()
            .find(|scope| spelled(&scope.as_str()) || scope.aliases().iter().any(spelled))
            .copied()
            .ok_or(UnknownScope)
    }
}

fn same_letters(left: &str, right: &str) -> bool {
    fn letters(text: &str) -> impl Iterator<Item = u8> {
        text.bytes()
            .filter(|byte| !matches!(byte, b'-' | b'_'))
            .map(|byte| byte.to_ascii_lowercase())
    }
    letters(left).eq(letters(right))
}

/// A set of scopes, each with what it implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeSet(u64);

impl ScopeSet {
    /// Every scope.
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Reads names in any spelling.
    ///
    /// # Errors
    /// The position of the first name that is no scope.
    pub fn try_from_names<T: AsRef<str>>(names: &[T]) -> Result<Self, usize> {
        let mut set = Self::default();
        for (position, name) in names.iter().enumerate() {
            let scope = name.as_ref().parse().map_err(|UnknownScope| position)?;
            set = set.with(scope);
        }
        Ok(set)
    }

    /// The set of the names that are known; others are passed over, which keeps a token readable
    /// whose client holds scopes of another version.
    pub fn of_known<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Self {
        names
            .into_iter()
            .filter_map(|name| name.as_ref().parse::<Scope>().ok())
            .collect()
    }

    /// The set and one more scope.
    #[must_use]
    pub fn with(self, scope: Scope) -> Self {
        let implied = scope
            .implied()
            .iter()
            .fold(0, |bits, scope| bits | scope.bit());
        Self(self.0 | scope.bit() | implied)
    }

    /// Whether the scope is held or implied.
    pub const fn allows(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether any of the scopes is held; true when none is asked for.
    pub fn allows_any(self, scopes: &[Scope]) -> bool {
        scopes.is_empty() || scopes.iter().any(|scope| self.allows(*scope))
    }

    /// Whether everything in this set is in the other.
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// What both sets hold.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The scopes, in the order of the documents.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .iter()
            .copied()
            .filter(move |scope| self.allows(*scope))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        scopes.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_spelling_is_read() {
        for (text, expected) in [
            ("banking", Ok(Scope::Banking)),
            ("bankingExternal", Ok(Scope::BankingUpload)),
            ("cockpit", Ok(Scope::Cockpits)),
            ("credits", Ok(Scope::CreditRating)),
            (
                "person-spending-creditCard",
                Ok(Scope::PersonSpendingCreditCard),
            ),
            ("person-risk-backDebit", Ok(Scope::PersonRiskBackDebit)),
            ("companies-logo", Ok(Scope::CompaniesLogo)),
            ("company-credits", Ok(Scope::CompanyCredit)),
            ("", Err(UnknownScope)),
            ("bank", Err(UnknownScope)),
        ] {
            assert_eq!(text.parse::<Scope>(), expected, "{text}");
        }
    }

    #[test]
    fn names_and_aliases_are_unambiguous() {
        assert!(Scope::ALL.len() <= 64, "a set is one word");
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
            for alias in scope.aliases() {
                assert_eq!(alias.parse(), Ok(*scope), "{alias}");
            }
        }
    }

    #[test]
    fn banking_implies_its_parts() {
        let banking = ScopeSet::try_from_names(&["banking"]).expect("known");
        assert!(banking.allows(Scope::BankingUpload) && !banking.allows(Scope::Contracts));
        let parts = ScopeSet::try_from_names(&["banking-fetch", "bankingExternal"]).expect("known");
        assert!(parts.is_subset_of(banking) && !banking.is_subset_of(parts));
        assert!(parts.allows_any(&[Scope::Banking, Scope::BankingUpload]));
        assert!(parts.allows_any(&[]));
        assert_eq!(ScopeSet::try_from_names(&["banking", "moon"]), Err(1));
        assert_eq!(
            ScopeSet::of_known(["moon", "contracts"])
                .iter()
                .collect::<Vec<_>>(),
            [Scope::Contracts]
        );
        assert_eq!(ScopeSet::all().iter().count(), Scope::ALL.len());
    }
}
