//! The tokens of well-known vendors, recognised by the prefix that each vendor documents.
//!
//! Most prefixes and alphabets are those of `config/gitleaks.toml` in <https://github.com/gitleaks/gitleaks> at b58d3f1;
//! lengths are the same or shorter. The hashes of passwords are those of `crypt(5)`, the beginnings of a JWT and of
//! other base64 texts are those of their JSON; `sbp_`, `whsec_`, `figd_`, `dckr_pat_`, `GOCSPX-` and Discord's webhooks
//! are not in that file.

use std::ops::Range;
use std::sync::LazyLock;

/// The format of one kind of token: a prefix, in its own case, followed by characters of an alphabet.
struct TokenFormat {
    prefix: &'static str,
    /// Minimum number of characters behind the prefix.
    min_chars: usize,
    alphabet: TokenAlphabet,
}

/// The characters of a token behind its prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenAlphabet {
    Hexadecimal,
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, `_`, `-` and `.`, with a digit among them.
    Word,
    /// The characters of base64 and of paths, with a digit among them.
    Base64,
    /// The characters of a salted password hash, whose parts `$` separates.
    Hash,
}

/// Every format, grouped by alphabet; lengths are minimums, so that a truncated token is hidden as well.
const FORMATS: [(TokenAlphabet, &[(&str, usize)]); 5] = [
    (
        TokenAlphabet::Hexadecimal,
        &[
            ("SK", 32),
            ("dapi", 32),
            ("doo_v1_", 32),
            ("dop_v1_", 32),
            ("dor_v1_", 32),
            ("glptt-", 20),
            ("key-", 32),
            ("pul-", 40),
            ("rubygems_", 40),
            ("sbp_", 40),
            ("shpat_", 32),
            ("shpca_", 32),
            ("shppa_", 32),
            ("shpss_", 32),
            ("shippo_live_", 32),
            ("shippo_test_", 32),
            ("sntryu_", 32),
        ],
    ),
    (
        TokenAlphabet::Alphanumeric,
        &[
            ("AKCp", 60),
            ("EZAK", 54),
            ("EZTK", 54),
            ("api_org_", 30),
            ("cmVmd", 59),
            ("gho_", 20),
            ("ghp_", 20),
            ("ghr_", 20),
            ("ghs_", 20),
            ("ghu_", 20),
            ("hf_", 30),
            ("ico-", 32),
            ("lin_api_", 32),
            ("npm_", 30),
            ("ntn_", 32),
            ("pnu_", 30),
            ("pplx-", 32),
            ("rdme_", 60),
            ("rk_live_", 10),
            ("rk_prod_", 10),
            ("rk_test_", 10),
            ("sk_live_", 10),
            ("sk_prod_", 10),
            ("sk_test_", 10),
            ("sm_aat_", 16),
            ("sm_pat_", 16),
            ("sm_sat_", 16),
            ("whsec_", 24),
        ],
    ),
    (
        TokenAlphabet::Word,
        &[
            ("A3-", 30),
            ("AGE-SECRET-KEY-", 20),
            ("AIza", 30),
            ("ATATT3", 30),
            ("CLOJARS_", 60),
            ("EAAA", 22),
            ("FLWSECK_TEST-", 12),
            ("GOCSPX-", 20),
            ("GR1348941", 20),
            ("HRKU-AA", 30),
            ("NRAK-", 20),
            ("PMAK-", 20),
            ("SG.", 40),
            ("dckr_pat_", 20),
            ("dp.ct.", 30),
            ("dp.pt.", 30),
            ("dp.sa.", 30),
            ("dp.st.", 30),
            // `{"alg":`, `{"typ":` and `{"kid":` at the beginning of a JWT.
            ("eyJhbGciOi", 30),
            ("eyJ0eXAiOi", 30),
            ("eyJraWQiOi", 30),
            ("duffel_live_", 30),
            ("duffel_test_", 30),
            ("figd_", 30),
            ("fio-u-", 40),
            ("fo1_", 43),
            ("github_pat_", 20),
            ("glagent-", 20),
            ("glcbt-", 20),
            ("gldt-", 20),
            ("glffct-", 20),
            ("glft-", 20),
            ("glimt-", 20),
            ("gloas-", 20),
            ("glpat-", 16),
            ("glrt-", 16),
            ("glsa_", 30),
            ("glsoat-", 16),
            ("hvb.", 40),
            ("hvs.", 20),
            ("pscale_oauth_", 30),
            ("pscale_pw_", 30),
            ("pscale_tkn_", 30),
            ("pypi-AgEI", 20),
            ("sgp_", 40),
            ("sk-ant-", 20),
            ("sk-proj-", 20),
            ("sk-svcacct-", 20),
            ("sk-admin-", 20),
            ("sq0atp-", 22),
            ("sq0csp-", 22),
            ("tk-us-", 40),
            ("xapp-", 16),
            ("xkeysib-", 40),
            ("xoxa-", 10),
            ("xoxb-", 10),
            ("xoxc-", 10),
            ("xoxd-", 10),
            ("xoxe-", 10),
            ("xoxe.", 10),
            ("xoxo-", 10),
            ("xoxp-", 10),
            ("xoxr-", 10),
            ("xoxs-", 10),
        ],
    ),
    (
        TokenAlphabet::Base64,
        &[
            ("ABSK", 100),
            ("discord.com/api/webhooks/", 20),
            ("discordapp.com/api/webhooks/", 20),
            ("eyJrIjoi", 60),
            ("fm1a_", 60),
            ("fm1r_", 60),
            ("fm2_", 60),
            ("hooks.slack.com/services/", 20),
            ("hooks.slack.com/triggers/", 20),
            ("hooks.slack.com/workflows/", 20),
            ("ops_eyJ", 60),
            ("sntrys_eyJ", 30),
        ],
    ),
    (
        // `$$` is a `$` in a compose file.
        TokenAlphabet::Hash,
        &[
            ("$2a$", 40),
            ("$2b$", 40),
            ("$2y$", 40),
            ("$$2a$$", 40),
            ("$$2b$$", 40),
            ("$$2y$$", 40),
            ("$apr1$", 20),
            ("$$apr1$$", 20),
            ("$argon2", 40),
            ("$$argon2", 40),
            ("$5$", 40),
            ("$$5$$", 40),
            ("$6$", 40),
            ("$$6$$", 40),
            ("$y$", 40),
            ("$$y$$", 40),
        ],
    ),
];

/// The formats by the first byte of their prefix.
static BY_FIRST_BYTE: LazyLock<Vec<Vec<TokenFormat>>> = LazyLock::new(|| {
    let mut formats: Vec<Vec<TokenFormat>> = (0..128).map(|_| Vec::new()).collect();
    for (alphabet, group) in FORMATS {
        for (prefix, min_chars) in group {
            let format = TokenFormat { prefix, min_chars: *min_chars, alphabet };
            if let Some(same) =
                prefix.bytes().next().and_then(|byte| formats.get_mut(usize::from(byte)))
            {
                same.push(format);
            }
        }
    }
    formats
});

/// Returns every prefix.
pub(super) fn token_prefixes() -> impl Iterator<Item = &'static str> {
    FORMATS.into_iter().flat_map(|(_, group)| group.iter().map(|(prefix, _)| *prefix))
}

/// Number of bytes in which a token's digit, or the `(` of a call, is searched: a longer text is not searched again from
/// each of its words.
const MAX_DOUBTFUL_BYTES: usize = 256;

/// Returns the byte range of the token that `text` begins with; of a webhook's address, the part behind its prefix.
pub(super) fn token_at_start(text: &str) -> Option<Range<usize>> {
    let first = usize::from(*text.as_bytes().first()?);
    BY_FIRST_BYTE.get(first)?.iter().find_map(|format| {
        let rest = text.strip_prefix(format.prefix)?;
        let mut start = rest.bytes().take(MAX_DOUBTFUL_BYTES);
        let has_digit = start.any(|byte| !format.alphabet.has(byte) || byte.is_ascii_digit());
        if format.alphabet.has_words() && !has_digit {
            return None;
        }
        let end = rest.bytes().position(|byte| !format.alphabet.has(byte)).unwrap_or(rest.len());
        let is_call = end < MAX_DOUBTFUL_BYTES && rest[end..].starts_with('(');
        // A full stop ends a sentence.
        let token = rest[..end].trim_end_matches(['.', ',', '/']);
        let is_token = token.len() >= format.min_chars
            && (!format.alphabet.has_words() || token.bytes().any(|byte| byte.is_ascii_digit()))
            && !is_call;
        let from = if format.prefix.ends_with('/') { format.prefix.len() } else { 0 };
        is_token.then(|| from..format.prefix.len() + token.len())
    })
}

impl TokenAlphabet {
    /// Returns whether a text of several words may consist of these characters, so that only a digit shows a token.
    fn has_words(self) -> bool {
        matches!(self, Self::Word | Self::Base64)
    }

    fn has(self, byte: u8) -> bool {
        match self {
            Self::Hexadecimal => byte.is_ascii_hexdigit(),
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || b"_-.=".contains(&byte),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"_-.=/+".contains(&byte),
            Self::Hash => byte.is_ascii_alphanumeric() || b"./$,=+".contains(&byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::secret::Redactor;

    /// Returns a token that is none of any vendor's.
    fn make_token(prefix: &str, length: usize) -> String {
        let body: String = "0a1b2c3d4e5f".chars().cycle().take(length).collect();
        format!("{prefix}{body}")
    }

    #[test]
    fn a_vendors_token_is_hidden_in_any_text() {
        let redactor = Redactor::default();
        for (prefix, length) in [
            ("xoxb-123456789012-", 24),
            ("glpat-", 20),
            ("sk-ant-api03-", 40),
            ("AIza", 35),
            ("SG.0a1b2c3d4e5f.", 43),
            ("hf_", 34),
            ("ghp_", 36),
            ("github_pat_11A_", 60),
            ("dop_v1_", 64),
            ("key-", 32),
            ("$2y$05$", 53),
            ("$$apr1$$salt$$", 22),
        ] {
            let token = make_token(prefix, length);
            for (text, shown) in [
                (format!("A: {token}"), "A: <a secret>"),
                (format!("see '{token}'."), "see '<a secret>'."),
                (format!("A: ${{X:-{token}}}"), "A: ${X:-<a secret>}"),
            ] {
                assert_eq!(redactor.redact(&text), shown);
            }
        }
        let hook = format!("https://hooks.slack.com/services/{}", make_token("T0/B0/", 24));
        assert_eq!(redactor.redact(&hook), "https://hooks.slack.com/services/<a secret>");
    }

    #[test]
    fn a_long_text_takes_time_in_proportion_to_its_length() {
        for part in ["xoxb-a-", "eyJhbGciOi.", "xoxb-1-", "$6$", "hooks.slack.com/services/"] {
            let began = std::time::Instant::now();
            let _ = Redactor::default().redact(&(part.repeat(200_000) + "("));
            assert!(began.elapsed().as_secs() < 20, "{part}");
        }
    }

    #[test]
    fn a_name_with_a_vendors_prefix_is_shown() {
        let redactor = Redactor::default();
        for text in [
            "npm_config_cache=/home/node/.npm",
            "SKIP_MIGRATIONS_ON_BOOT_FOR_TESTS_2",
            "key-0a1b2c3d is an id",
            "hf_home: /root/.cache/huggingface/hub-with-a-long-path-1",
            "glrt-runner",
            "sk-learn==1.5.2, sk_live_",
            "https://docs.example/hooks.slack.com/services/",
            "$5$ and $6$ and ${A}",
            "pul-request-number-of-the-day-is-long-enough-1",
        ] {
            assert_eq!(redactor.redact(text), text);
        }
    }
}
