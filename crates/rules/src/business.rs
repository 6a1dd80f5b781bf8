//! Tells whether the other side is visibly a business.
//!
//! Many brands are surnames, places or ordinary words as well: Penny, Norma, Bauhaus. Such a name
//! only counts when the booking has something that payments between people do not have: a card, a
//! mandate, a company form, a branch number, a word for a trade, or a place behind the name.

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::Transaction;

use crate::normalize::scan::{self, WordHash};

/// Words in a name that no person bears, folded.
const FORMS: &str = "\
    ab ag akademie amazon autohaus bauhof bv cie co corp corporation dienstleistung eg ek \
    entertainment europe ev fachmarkt fil filiale games gbr gemeinde germany geschaeftsstelle \
    gesellschaft gmbh group gruppe handel handels hochschule holding inc inh inhaber interactive \
    international kg kgaa kita landkreis limited llc lotto ltd market markt mbh moebel \
    niederlassung nv ohg online operations ou oue oy partg payments pflege plc polizei retail \
    sarl sas sca schule se service services shop spa srl stadt station store team tickets ug uni \
    universitaet versand vertrieb vertriebs zweigniederlassung";
/// Ends of words in a name that no person bears, folded.
const TRADE_ENDS: &str = "\
    agentur airlines airways akademie akustik ambulanz anwaelte anwaeltin apotheke ausbau \
    autohaus autohof autoteile backshop backstube backwaren baeckerei barbershop bauamt baumarkt \
    baumschule baustoffe bauverein bedachungen berater beratung betrieb betriebe betten bistro \
    bluetenwerk blumenladen bodenbelaege boutique bowling brasserie brauhaus bruderschaft \
    buchhandlung buchladen buergeramt buero bueromarkt cafe cafeteria casino catering center \
    centrum clinic clinique club computer consulting design dienst dienste doener drogerie druck \
    einkaufspark einrichtung eiscafe elektrik elektro elektronik elektrotechnik energie energy \
    entsorgung erei ergotherapie event events fachcentren fahrraeder fahrzeuge fenster \
    ferienhaus ferienpark ferienwohnung ferienwohnungen fitness fleischwaren fliesen floristik \
    forum freibad freizeitpark friseur friseure friseursalon fusspflege gardinen \
    gartenbau gartencenter gasthaus gasthof gastronomie gaststaette gelateria gemeinde \
    gemeinschaft genossenschaft genossenschaften gesellschaft gestuet getraenke gewuerze \
    glasfaser grillhaus gymnasium haarsalon haarstudio hallenbad handel handlung handwerk \
    haushalt hausmeisterservice hebammenpraxis heimstaette heimstaetten heizung heizungsbau \
    hochbau hofladen holzbau hostel hotel hotels hundesalon hundeschule imbiss immobilie \
    immobilien inkasso innenausbau institut instrumente jugendamt juwelier juweliere \
    kameradschaft kanzlei kasse kaufhaus kindergarten kiosk klinik kliniken klinikum klub \
    kosmetik krankenhaus kueche kuechen kuechenstudio laden lampen leasing lebensmittel leuchten \
    lieferservice logistics logistik logopaedie lohnsteuerhilfe management marketing markt \
    maschinenbau massage matratzen medien metallbau metallwaren mietservice mietwagen mobile \
    mobilfunk modehaus moden moebel moebelhaus motors nagelstudio nails notariat optik \
    ordnungsamt orthopaedie osteopathie osteria parfuemerie parkhaus partyservice pflegedienst \
    pflegeheim physiotherapie pizzeria podologie praxis produktion projekt publishing \
    raststaette rechtsanwaelte rechtsanwaeltin rechtsanwalt recycling reederei reformhaus reifen \
    reinigung reisebuero reisen reitanlage reiterhof reitstall reparatur restaurant ristorante \
    sanierung sanitaer sanitaetshaus saunapark schuhhaus schule schulen schwimmbad seniorenheim \
    seniorenzentrum service services shop shops software solar solarium solutions sozialamt \
    sozialstation sparkasse spedition spielhalle spielwaren sportpark stadtwerke standesamt \
    steakhaus steakhouse stiftung store stores studio studios supermarkt systeme systems \
    tankcenter tankstation tanzschule tattoostudio taverna taxi technik technologies technology \
    telekom teppiche textilien therapie therme ticket tiefbau tierarztpraxis tierheim tierklinik \
    tierpark tierpraxis touristik transport transporte trattoria treff trockenbau umzuege \
    verband verbandes verbund verein vereinigung verkehr verkehrsbetriebe verlag verleih \
    vermietung versand versicherung versicherungen versorgung vertrieb verwaltung vinothek \
    volksbank vollzieher waescherei waren warenhaus waschanlage waschpark wasserwerk weinhaus \
    weinkontor werbung werke werkstaetten werkstatt werkzeuge wildpark wirtshaus wohnbau \
    wohnungsbau zahnaerzte zahnaerztin zahnarzt zeitung zentrale zentrum zimmerei zweirad";
/// Beginnings of words in a name that no person bears, folded.
const TRADE_STARTS: &str = "\
    abfallwirt agentur amtskasse apotheken arbeitsagentur architektur arztpraxis augenarztp \
    autohaus autoservice autoteil autovermiet autowasch autowerk autozent backshop bausparkasse \
    baustoff bestattung brillen buchhandl bundesagentur bundesanstalt bundeskasse bundesverwalt \
    cafeteria caritas computer diakonie drogerie eiscafe eisdiele elektro energie fahrrad \
    fahrschule familienkasse ferienpark ferienwohn feuerwehr finanzamt fitness friseur frisoer \
    gaststaette gemeinschaftsp getraenke hallenbad handwerk hauptzollamt hausverwalt heizungs \
    hochschul hoergeraet ihrapothek immobilien jobcenter juwelier kieferorth kindergarten \
    kindertages kirchengem kirchenkreis kosmetik krankenhaus krankenkasse kreiskasse \
    kreissparkasse kreisverwalt landesamt landesbank landeshaupt landeskasse landratsamt \
    lebensmittel logistik malerbetrieb matratzen mediamarkt mietwagen mineraloel naturkost \
    oberfinanz online ordnungsamt orthopaed parkhaus parkraum parkservice pfarramt pflegedienst \
    physiotherap pizza psychotherap radiolog rechtsanwaelt rechtsanwalt regierungspr reifen \
    reinigungs reisebuero restaurant sanitaer schornsteinf schwimmbad software sparkasse \
    spielwaren spielzeug stadtkasse stadtverwalt stadtwerk steuerberat studentenwerk \
    studierendenwerk supermarkt tankstelle tierarztp tierklinik tiernahrung touristik umzuege \
    universitaets verbandsgem verbraucher verein verkehrs versandhaus versicherung \
    volkshochschule wohnungsbau wohnungsgen wohnungsges zahnarztp zeitungsv zoohandlung";
/// Words that head the name of a business, and are surnames when they end a name, folded.
const HEADS: &str = "\
    atelier baeckerei bahnhof bar bauernhof betten bistro blumen brauerei buecher burger cafe \
    camping club coiffeur deutsche doener eis fahrschule familienbad firma foto galerie garage \
    garten gasthaus gasthof getraenke grill hair haus hof hofladen hotel imbiss juwelier kaffee \
    kantine kaufhaus kebap kino kiosk klinik kneipe konditorei landgasthof leder lounge mensa \
    metzgerei mode moden moebel museum musik nails notar obst oper optik parfuemerie parkhaus \
    pension pizza praxis pub radsport salon sauna schloss schmuck schuh schuhe sport \
    steuerberater studio tabak taverne taxi textil theater tierarzt trattoria uhren vinothek \
    wein weingut weinhaus wohnen zahnarzt zoo";
/// Words for trades and places that surnames are taken from as well, folded.
const SURNAMES: &str = "\
    agentur apotheke bahnhof bank berater bistro boutique buero cafe casino club computer dienst \
    druck elektro energie fenster forum friseur gasthaus gasthof handel heizung hostel hotel \
    imbiss juwelier kanzlei kasse kiosk klinik kueche laden lotto markt mode moden museum oper \
    optik park pension pizza praxis projekt reifen reisen restaurant schule solar stadt station \
    taxi theater treff verkehr verlag versicherung waren werbung zahnarzt zeitung zoo";
/// Countries, large towns and the like; behind a brand they say that it is the brand.
const PLACES: &str = "\
    aachen augsburg berlin bielefeld bochum bonn braunschweig bremen car cars chemnitz cottbus \
    darmstadt deutschland dortmund dresden duesseldorf duisburg erfurt eu europa filialbetrieb \
    flensburg frankfurt freiburg gelsenkirchen germany goettingen hamburg hannover heidelberg \
    heilbronn hq ingolstadt jena kaiserslautern karlsruhe kassel kiel koblenz koeln krefeld \
    leipzig leverkusen ludwigshafen luebeck luxembourg luxemburg magdeburg mainz mannheim \
    muenchen muenster nord nordost nordwest nuernberg oesterreich oldenburg osnabrueck ost \
    pforzheim potsdam regensburg rent rental rostock sa saarbruecken salzburg schweiz schwerin \
    stuttgart sued suedost suedwest trier uk ulm west wien wiesbaden wolfsburg wuerzburg \
    wuppertal zuerich";
/// Words that banks put into card and direct-debit texts.
const CARD_WORDS: &str = "girocard kontaktlos maestro mastercard terminal visa vpay";
/// Beginnings of such words.
const CARD_STARTS: &str =
    "debitk folgelast folgenr girocard kartenn kartenz kaufums kfn lastschrift verfalld";
/// Such words, when a number follows or is part of them.
const CARD_NUMBERED: &str = "debitkarte elv karte kfn pos";
/// Words of an invoice, when a number follows.
const INVOICE: &str = "kdnr kundennr kundennummer rechnung rechnungsnr rechnungsnummer rg rgnr rnr";

/// Words to be looked up whole.
static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::new);

/// The lists above, ready for questions.
struct Vocabulary {
    /// Whole words with the lists that they are on.
    words: HashMap<&'static [u8], Lists, WordHash>,
    ends: Edges,
    starts: Edges,
    card_starts: Edges,
}

/// Lists of words, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Lists(u8);

impl Lists {
    const FORMS: Self = Self(1);
    const HEADS: Self = Self(2);
    const PLACES: Self = Self(4);
    const CARD: Self = Self(8);
    const NUMBERED: Self = Self(16);
    const INVOICE: Self = Self(32);
    const SURNAMES: Self = Self(64);

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Vocabulary {
    fn new() -> Self {
        let mut words: HashMap<&'static [u8], Lists, WordHash> = HashMap::default();
        for (list, text) in [
            (Lists::FORMS, FORMS),
            (Lists::HEADS, HEADS),
            (Lists::PLACES, PLACES),
            (Lists::CARD, CARD_WORDS),
            (Lists::NUMBERED, CARD_NUMBERED),
            (Lists::INVOICE, INVOICE),
            (Lists::SURNAMES, SURNAMES),
        ] {
            for word in text.split_ascii_whitespace().map(str::as_bytes) {
                let known = words.entry(word).or_default();
                *known = known.and(list);
            }
        }
        Self {
            words,
            ends: Edges::new(TRADE_ENDS, <[u8]>::last_chunk),
            starts: Edges::new(TRADE_STARTS, <[u8]>::first_chunk),
            card_starts: Edges::new(CARD_STARTS, <[u8]>::first_chunk),
        }
    }

    /// The lists that a folded word is on.
    fn lists(&self, folded: &[u8]) -> Lists {
        self.words.get(folded).copied().unwrap_or_default()
    }

    /// Whether a folded word ends or starts as those of trades do.
    fn is_trade(&self, folded: &[u8]) -> bool {
        let (end, start) = (folded.last_chunk(), folded.first_chunk());
        self.ends.hold(end, |end| folded.ends_with(end))
            || self.starts.hold(start, |start| folded.starts_with(start))
    }
}

/// Three letters at one side of a word.
type Edge = [u8; 3];

/// How many edges of letters there are when a letter is told by five bits.
const EDGES: usize = 1 << 15;

/// Beginnings or ends of words by their outermost letters.
struct Edges {
    stems: HashMap<Edge, Vec<&'static [u8]>, WordHash>,
    /// A bit for each edge that some stem has; most words are passed over after a look at it.
    known: Vec<u64>,
}

impl Edges {
    fn new(words: &'static str, edge: fn(&[u8]) -> Option<&Edge>) -> Self {
        let mut all = Self {
            stems: HashMap::default(),
            known: vec![0; EDGES / 64],
        };
        for word in words.split_ascii_whitespace().map(str::as_bytes) {
            if let Some(edge) = edge(word) {
                let (place, bit) = place_of(*edge);
                all.known[place] |= bit;
                all.stems.entry(*edge).or_default().push(word);
            }
        }
        all
    }

    fn hold(&self, edge: Option<&Edge>, holds: impl Fn(&[u8]) -> bool) -> bool {
        let Some(edge) = edge else {
            return false;
        };
        let (place, bit) = place_of(*edge);
        self.known[place] & bit != 0
            && self
                .stems
                .get(edge)
                .is_some_and(|stems| stems.iter().any(|stem| holds(stem)))
    }
}

/// The word of [`Edges::known`] and the bit in it.
fn place_of(edge: Edge) -> (usize, u64) {
    let number = edge
        .iter()
        .fold(0, |number, letter| number << 5 | usize::from(letter & 31));
    (number >> 6, 1 << (number & 63))
}

/// Whether the booking has what only payments to businesses have, [`crate::people::is_merchants`]
/// and [`is_card_merchant`] left out, which the caller looks at.
pub(crate) fn is_business(transaction: &Transaction) -> bool {
    names_a_business(transaction.counterparty.name.as_str())
        || transaction.amount.minor < 0 && has_invoice(transaction.remittance_info.as_str())
}

/// Whether it is a card text, or a name of one word: whoever else bears it adds his trade.
pub(crate) fn is_card_merchant(transaction: &Transaction) -> bool {
    let name = transaction.counterparty.name.as_str();
    let purpose = transaction.remittance_info.as_str();
    !transaction.merchant_category_code.is_empty()
        || matches!(
            transaction.transaction_code,
            Some(4 | 5 | 106 | 107 | 182 | 190 | 198)
        )
        || name.contains("//")
        || is_one_word(name)
        || is_card_text(purpose)
        || has_card_word(&transaction.booking_text)
}

/// Whether remittance information is that of a card payment.
pub(crate) fn is_card_text(purpose: &str) -> bool {
    purpose.contains("//") || has_card_word(purpose)
}

/// Whether a word of a name is one that no person bears: a company form or a trade's own word.
pub(crate) fn is_business_word(word: &str) -> bool {
    let folded = scan::fold_word(word);
    let known = &*VOCABULARY;
    known.lists(folded.as_slice()).meet(Lists::FORMS) || known.is_trade(folded.as_slice())
}

/// Whether a word is a surname, too, although it is a trade or a place.
pub(crate) fn may_be_surname(word: &str) -> bool {
    let folded = scan::fold_word(word);
    let lists = VOCABULARY.lists(folded.as_slice());
    lists.meet(Lists::SURNAMES)
}

/// Whether a word is a trade at the head of a name, or a place.
pub(crate) fn is_head_or_place(word: &str) -> bool {
    let folded = scan::fold_word(word);
    let lists = VOCABULARY.lists(folded.as_slice());
    lists.meet(Lists::HEADS.and(Lists::PLACES))
}

/// A company form, a branch number, a trade, a place, or a sign that no person bears.
fn names_a_business(name: &str) -> bool {
    let sign = name.contains(" & ")
        || name.contains(" / ")
        || name.contains('*')
        || name.contains(".de")
        || name.contains(".com");
    let elsewhere = Lists::FORMS.and(Lists::PLACES);
    let known = &*VOCABULARY;
    sign || words(name).enumerate().any(|(place, word)| {
        let folded = scan::fold_word(word);
        let folded = folded.as_slice();
        let telling = match place {
            0 => elsewhere.and(Lists::HEADS),
            _ => elsewhere,
        };
        word.bytes().any(|byte| byte.is_ascii_digit())
            || known.lists(folded).meet(telling)
            || known.is_trade(folded)
    })
}

/// A name without blanks, that is not made of initials only.
fn is_one_word(name: &str) -> bool {
    let mut parts = name.split_whitespace();
    let (Some(only), None) = (parts.next(), parts.next()) else {
        return false;
    };
    only.contains(['&', '+']) || words(only).any(|word| word.len() > 1)
}

fn has_card_word(text: &str) -> bool {
    let known = &*VOCABULARY;
    let mut before = false;
    words(text).any(|word| {
        let folded = scan::fold_word(word);
        let folded = folded.as_slice();
        let numbered = before && word.starts_with(|c: char| c.is_ascii_digit());
        let letters = folded.iter().take_while(|byte| byte.is_ascii_alphabetic());
        let (head, tail) = folded.split_at(letters.count());
        let lists = known.lists(folded);
        before = lists.meet(Lists::NUMBERED);
        numbered
            || lists.meet(Lists::CARD)
            || !tail.is_empty() && known.lists(head).meet(Lists::NUMBERED)
            || known
                .card_starts
                .hold(folded.first_chunk(), |start| folded.starts_with(start))
    })
}

/// Whether an invoice or a customer is named with a number.
fn has_invoice(text: &str) -> bool {
    let mut before = false;
    words(text).any(|word| {
        let folded = scan::fold_word(word);
        let numbered = before && word.bytes().any(|byte| byte.is_ascii_digit());
        // The word "Nr" may stand between.
        let folded = folded.as_slice();
        before = VOCABULARY.lists(folded).meet(Lists::INVOICE) || before && folded == b"nr";
        numbered
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::Example;
    use crate::people;

    fn check(line: &str, expected: bool) {
        let example = Example::parse(line).expect(line);
        let transaction = &example.transaction;
        let business = people::is_merchants(transaction)
            || is_card_merchant(transaction)
            || is_business(transaction);
        assert_eq!(business, expected, "{line}");
    }

    #[test]
    fn businesses_are_seen_by_form_card_or_code() {
        check("Penny GmbH | Rechnung | -10.00", true);
        check("PENNY 4711 | danke | -10.00", true);
        check("Penny | danke | -10.00", true);
        check("H&M | danke | -10.00", true);
        check("Norma Lebensmittel//Kiel/DE | x | -10.00", true);
        check(" | JET DANKT//Kiel/DE | -10.00", true);
        check(
            "Hammer Heim | 2025-03-01T10:00 Debitk.3 2026-12 | -10.00",
            true,
        );
        check("Hammer Heim | x | -10.00 | mcc=5200", true);
        check("Hammer Heim | x | -10.00 | gvc=105", true);
        check(
            "Hammer Heim | x | -10.00 | creditor_id=DE98ZZZ09999999999",
            true,
        );
        check("Hammer Heim | x | -10.00 | booking=Kartenzahlung", true);
        check("Hammer Heim | ELV14925275 15.05 ME0 | -10.00", true);
        check("Hammer Heim | POS 4711 | -10.00", true);
    }

    #[test]
    fn businesses_are_seen_by_trade_place_or_invoice() {
        check("Möbel Höffner | danke | -10.00", true);
        check("Thalia Buchhandlung | danke | -10.00", true);
        check("Motorradwerkstatt Norma Heller | Gabel | -10.00", true);
        check("IKEA Deutschland | danke | -10.00", true);
        check("Bauhaus Mannheim | danke | -10.00", true);
        check("thalia.de Bestellung | danke | -10.00", true);
        check("Hammer / Adyen | danke | -10.00", true);
        check("Hammer Corporation | danke | -10.00", true);
        check("Pension Waldblick | danke | -10.00", true);
        check("Hammer Heim | Rechnung Nr. 4711 | -10.00", true);
        check("Hammer Heim | Rg. 706129 Vorhang | -10.00", true);
    }

    #[test]
    fn people_are_no_businesses() {
        check("Penny Lane | danke | -10.00", false);
        check("Karl-Heinz Rossmann | Miete Juni | -10.00", false);
        check("Norma Meier | Geschenk | -10.00 | gvc=116", false);
        check("Waltraut Pension | Zum Namenstag | -10.00", false);
        check("Norma de Souza | Geschenk | -10.00", false);
        check("C&A Hochzeit | alles Liebe | -10.00", false);
        check("J.E.T. | Bier | -10.00", false);
        check("Norma Meier | Postkarte und Karten | -10.00", false);
        check("Horst Hornbach | Rechnung 2025-14 | +10.00", false);
    }
}
