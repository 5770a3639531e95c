//! Whatever a policy file says, reading it ends, with what it says or with what is wrong; and what it says, written down, says
//! the same.

#![no_main]

use askfirst_policy::{
    Snapshot,
    file::{Prune, parse, token_names},
};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    token_names(text);
    match parse(text, &Snapshot::empty(), Prune::Nothing) {
        Ok(file) => {
            let written = file.to_yaml();
            let read = parse(&written, &Snapshot::empty(), Prune::Nothing);
            assert_eq!(read.as_ref(), Ok(&file), "{written}");
            assert_eq!(read.expect("it was read").to_yaml(), written);
        }
        Err(wrong) => assert!(!wrong.is_empty(), "a file is refused and nothing is wrong with it"),
    }
    Corpus::Keep
});
