//! From tags to contract categories, and what tags say about contracts.

/// What a tag says about whether a payment belongs to a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Leaning {
    /// Paid by contract: rent, insurance, salary.
    Contract,
    /// Both occur.
    Open,
    /// Shopping, cash, single transfers.
    Shopping,
}

/// The category of contracts with a tag, and what the tag says about contracts.
///
/// # Source
/// The names are finoOS's where its documents show them (`CAR_TAX`, `GEZ`, `WORK`); the others
/// follow the tags.
const CATEGORIES: [(&str, &str); 71] = [
    ("salary", "WORK"),
    ("salary_wage", "WORK"),
    ("salary_civil_servant", "WORK"),
    ("salary_apprentice", "WORK"),
    ("salary_short_time_work", "WORK"),
    ("pension", "PENSION"),
    ("pension_statutory", "PENSION"),
    ("pension_civil_servant", "PENSION"),
    ("pension_company", "PENSION"),
    ("pension_private", "PENSION"),
    ("child_benefit", "CHILD_BENEFIT"),
    ("child_benefit_public", "CHILD_BENEFIT"),
    ("child_supplement", "CHILD_BENEFIT"),
    ("child_benefit_family", "CHILD_BENEFIT"),
    ("rental", "RENT"),
    ("rental_apartment", "RENT"),
    ("rental_garage", "RENT"),
    ("rental_stable", "RENT"),
    ("rental_storage", "RENT"),
    ("rental_income", "RENT"),
    ("rental_income_apartment", "RENT"),
    ("rental_income_garage", "RENT"),
    ("rent_commercial", "RENT"),
    ("condo_fee", "RENT"),
    ("leasehold", "RENT"),
    ("utilities", "ENERGY"),
    ("electricity", "ENERGY"),
    ("gas_heating", "ENERGY"),
    ("water_waste", "ENERGY"),
    ("utilities_multi", "ENERGY"),
    ("communication", "TELECOMMUNICATION"),
    ("mobile_phone", "TELECOMMUNICATION"),
    ("internet_landline", "TELECOMMUNICATION"),
    ("broadcasting_fee", "GEZ"),
    ("car_tax", "CAR_TAX"),
    ("vehicle_tax", "CAR_TAX"),
    ("streaming", "STREAMING"),
    ("gym", "MEMBERSHIP"),
    ("sports_club", "MEMBERSHIP"),
    ("car_club", "MEMBERSHIP"),
    ("chamber_fees", "MEMBERSHIP"),
    ("financing", "CREDIT"),
    ("credit_rate", "CREDIT"),
    ("credit_mortgage", "CREDIT"),
    ("credit_consumer", "CREDIT"),
    ("credit_student", "CREDIT"),
    ("credit_energy_refurbishment", "CREDIT"),
    ("credit_interest", "CREDIT"),
    ("leasing", "LEASING"),
    ("savings", "SAVING"),
    ("savings_securities_plan", "SAVING"),
    ("savings_plan", "SAVING"),
    ("savings_capital_forming", "SAVING"),
    ("housing_saving", "SAVING"),
    ("company_pension", "PENSION"),
    ("insurance_pension", "INSURANCE_PENSION"),
    ("wage", "WORK"),
    ("wage_collective", "WORK"),
    ("wage_minijob", "WORK"),
    ("managing_director_salary", "WORK"),
    ("social_insurance", "WORK"),
    ("employers_liability", "INSURANCE_EMPLOYERS_LIABILITY"),
    ("donation", "DONATION"),
    ("property_tax", "OTHER"),
    ("childcare", "OTHER"),
    ("school_education", "OTHER"),
    ("alimony_paid", "OTHER"),
    ("alimony_income", "OTHER"),
    ("wage_tax", "OTHER"),
    ("it_software", "OTHER"),
    ("books_press", "OTHER"),
];

/// Tags of what is bought when it is needed.
const SHOPPING: [&str; 52] = [
    "groceries",
    "household_grocery",
    "bakery_butcher",
    "beverages",
    "drugstore",
    "clothing",
    "fashion",
    "shoes",
    "jewellery",
    "fuel",
    "ev_charging",
    "micromobility",
    "taxi",
    "parking",
    "toll_parking",
    "car_maintenance",
    "vehicle_maintenance",
    "vehicle_purchase",
    "travel",
    "flight",
    "hotel",
    "travel_agency",
    "rental_car",
    "restaurant",
    "culture",
    "gaming",
    "hobby",
    "dating",
    "shopping",
    "online_marketplace",
    "electronics",
    "furniture",
    "diy_garden",
    "department_store",
    "pet_supplies",
    "toys_baby",
    "flowers_gifts",
    "pharmacy",
    "optician",
    "hairdresser_wellness",
    "lottery",
    "sports_betting",
    "casino",
    "wholesale",
    "raw_material",
    "office_supplies",
    "revenue",
    "revenue_card_terminal",
    "revenue_online_payment",
    "revenue_marketplace",
    "revenue_foreign",
    "refund_purchase",
];

/// The contract category of a tag, e.g. `INSURANCE_CAR`.
pub fn category(tag: &str) -> String {
    if let Some((_, category)) = CATEGORIES.iter().find(|(known, _)| *known == tag) {
        return (*category).to_owned();
    }
    if tag.starts_with("insurance") {
        return tag.to_ascii_uppercase();
    }
    "OTHER".to_owned()
}

/// What a tag says about contracts.
pub(crate) fn leaning(tag: &str) -> Leaning {
    let is_known = CATEGORIES.iter().any(|(known, _)| *known == tag);
    if is_known || (tag.starts_with("insurance_") && tag != "insurance_payout") {
        Leaning::Contract
    } else if SHOPPING.contains(&tag) {
        Leaning::Shopping
    } else {
        Leaning::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_categories() {
        for (tag, expected, lean) in [
            ("salary_wage", "WORK", Leaning::Contract),
            ("insurance_car", "INSURANCE_CAR", Leaning::Contract),
            ("broadcasting_fee", "GEZ", Leaning::Contract),
            ("household_grocery", "OTHER", Leaning::Shopping),
            ("", "OTHER", Leaning::Open),
            ("insurance_payout", "INSURANCE_PAYOUT", Leaning::Open),
        ] {
            assert_eq!(category(tag), expected, "{tag}");
            assert_eq!(leaning(tag), lean, "{tag}");
        }
    }
}
