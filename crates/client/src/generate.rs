//! The man page and the completions of a program, made from the definitions of its flags.

use std::io::{self, Write};

use clap::{ArgMatches, Args, Command, ValueEnum};
use clap_complete::Shell;

/// The flag that prints a man page or completions. Arguments that are required otherwise need not be there then, so that a program asks
/// [`Generate::requested`] before it reads the others.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct GenerateFlags {
    /// Print the man page or a shell's completions, and do nothing else
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        exclusive = true,
        help_heading = "Other"
    )]
    pub generate: Option<Generate>,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Generate {
    /// The man page, in roff
    Man,
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
    /// Completions for PowerShell
    Powershell,
    /// Completions for elvish
    Elvish,
}

impl Generate {
    /// What [`GenerateFlags`] asks for, if it was given.
    #[must_use]
    pub fn requested(matches: &ArgMatches) -> Option<Self> {
        matches.get_one("generate").copied()
    }

    /// Writes it for this program.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(self, mut command: Command, out: &mut impl Write) -> io::Result<()> {
        let shell = match self {
            Self::Man => return clap_mangen::Man::new(command).render(out),
            Self::Bash => Shell::Bash,
            Self::Zsh => Shell::Zsh,
            Self::Fish => Shell::Fish,
            Self::Powershell => Shell::PowerShell,
            Self::Elvish => Shell::Elvish,
        };
        let name = command.get_name().to_owned();
        // Into memory first: clap panics when it can't write, and a pipe may be closed.
        let mut completions = Vec::new();
        clap_complete::generate(shell, &mut command, name, &mut completions);
        out.write_all(&completions)
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;

    /// Does something.
    #[derive(Parser)]
    #[command(name = "program", version = "1.2.3")]
    struct Cli {
        /// What to ask
        #[arg(value_name = "URL", required = true)]
        url: Option<String>,
        #[command(flatten)]
        generate: GenerateFlags,
    }

    #[test]
    fn everything_is_generated_from_the_flags() {
        for what in Generate::value_variants() {
            let mut out = Vec::new();
            what.write(Cli::command(), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                text.contains("program") && text.contains("generate"),
                "{what:?}: {text}"
            );
        }
    }

    #[test]
    fn the_page_needs_no_url() {
        let parse = |flags: &[&str]| {
            let all = ["program"].iter().chain(flags);
            Cli::command()
                .try_get_matches_from(all)
                .map(|matches| Generate::requested(&matches))
        };
        assert_eq!(parse(&["--generate", "man"]).unwrap(), Some(Generate::Man));
        assert_eq!(parse(&["http://x/"]).unwrap(), None);
        assert!(parse(&[]).is_err());
        assert!(parse(&["--generate", "man", "http://x/"]).is_err());
    }

    #[test]
    fn a_closed_pipe_is_an_error_and_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for what in Generate::value_variants() {
            assert!(what.write(Cli::command(), &mut Closed).is_err(), "{what:?}");
        }
    }
}
