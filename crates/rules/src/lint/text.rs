//! Files cut into blocks, so that one fault does not hide the others.

use serde::de::DeserializeOwned;

/// A piece of a TOML file: one entry of an array of tables, or what stands before the first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    /// Number of its first line, from 1.
    pub(super) line: usize,
    pub(super) text: &'a str,
}

/// Cuts a file before each line that holds nothing but the header, `[[rule]]`.
pub(super) fn blocks<'a>(text: &'a str, header: &str) -> Vec<Block<'a>> {
    let mut cuts = vec![(1, 0)];
    let mut at = 0_usize;
    for (line, content) in (1..).zip(text.split_inclusive('\n')) {
        if content.trim() == header && at > 0 {
            cuts.push((line, at));
        }
        at = at.saturating_add(content.len());
    }
    let ends = cuts.iter().skip(1).map(|(_, at)| *at).chain([text.len()]);
    cuts.iter()
        .zip(ends)
        .map(|((line, start), end)| Block {
            line: *line,
            text: &text[*start..end],
        })
        .collect()
}

/// Reads a block; the error is the line in the file and what is wrong there.
pub(super) fn parse<T: DeserializeOwned>(block: Block<'_>) -> Result<T, (usize, String)> {
    toml::from_str(block.text).map_err(|error| {
        let before = error.span().and_then(|span| block.text.get(..span.start));
        let lines = before.map_or(0, |text| text.matches('\n').count());
        (block.line.saturating_add(lines), error.message().to_owned())
    })
}

/// The line of a block on which a text stands, or the block's first.
pub(super) fn line_of(block: Block<'_>, text: &str) -> usize {
    let found = block.text.lines().position(|line| line.contains(text));
    block.line.saturating_add(found.unwrap_or_default())
}

/// The id in a block, whether it can be read as a whole or not.
pub(super) fn id_in(block: &str) -> Option<String> {
    let mut lines = block.lines().filter_map(|line| line.trim().split_once('='));
    let (_, value) = lines.find(|(key, _)| key.trim() == "id")?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_begin_at_their_headers() {
        let text = "# head\n\n[[rule]]\nid = 1\n[[rule.either]]\n  [[rule]]  \nid = 2\n";
        let cut: Vec<(usize, &str)> = blocks(text, "[[rule]]")
            .into_iter()
            .map(|block| (block.line, block.text))
            .collect();
        assert_eq!(
            cut,
            [
                (1, "# head\n\n"),
                (3, "[[rule]]\nid = 1\n[[rule.either]]\n"),
                (6, "  [[rule]]  \nid = 2\n"),
            ]
        );
        assert_eq!(blocks("", "[[rule]]").len(), 1);
        assert_eq!(blocks("[[rule]]\na = 1\n", "[[rule]]").len(), 1);
    }

    #[test]
    fn a_fault_has_the_line_of_the_file() {
        let block = blocks("# head\n[[rule]]\nid = 1\nid = 2\n", "[[rule]]")[1];
        let (line, message) = parse::<toml::Table>(block).expect_err("twice");
        assert_eq!(line, 4);
        assert!(message.contains("duplicate"), "{message}");
        assert_eq!(line_of(block, "id = 2"), 4);
    }
}
