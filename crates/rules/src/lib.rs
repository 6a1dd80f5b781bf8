//! Rule packs and taxonomy: which tag a transaction gets, and the evidence for it.
