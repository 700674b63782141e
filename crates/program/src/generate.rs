//! `--generate`: a program's man page, completions and reference, made from the definitions of its flags.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::{Arg, Command, ValueEnum, value_parser};
use clap_complete::Shell;
use clap_mangen::Man;

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
    /// A reference of all flags, in Markdown
    Markdown,
}

const FLAG: &str = "generate";

/// Adds the flag to a program.
pub(crate) fn with_flag(command: Command) -> Command {
    command.arg(
        Arg::new(FLAG)
            .long(FLAG)
            .value_name("WHAT")
            .value_parser(value_parser!(Generate))
            .exclusive(true)
            .help_heading("Other")
            .help("Print the man page, a shell's completions or a reference of all flags, and do nothing else"),
    )
}

impl Generate {
    /// What the arguments ask for, if they do. Nothing that is required otherwise is required then, and no variable stands for a flag.
    pub(crate) fn requested(command: &Command, arguments: &[OsString]) -> Option<Self> {
        let command = command
            .clone()
            .subcommand_required(false)
            .mut_args(|argument| argument.env(None::<&'static str>));
        let matches = command.try_get_matches_from(arguments).ok()?;
        matches.get_one(FLAG).copied()
    }

    /// The text, for this program.
    #[must_use]
    pub fn of(self, mut command: Command) -> Vec<u8> {
        let shell = match self {
            Self::Man => return man(command),
            Self::Markdown => return markdown(command).into_bytes(),
            Self::Bash => Shell::Bash,
            Self::Zsh => Shell::Zsh,
            Self::Fish => Shell::Fish,
        };
        let name = command.get_name().to_owned();
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, name, &mut text);
        text
    }
}

/// One page, on which each subcommand has a section.
fn man(mut command: Command) -> Vec<u8> {
    command.build();
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = Man::new(command.clone()).render(&mut text);
    for subcommand in subcommands(&command) {
        let name = subcommand.get_bin_name().unwrap_or_default();
        text.extend_from_slice(format!(".SH \"{}\"\n", name.to_uppercase()).as_bytes());
        let page = Man::new(subcommand.clone());
        let _ = page.render_description_section(&mut text);
        let _ = page.render_options_section(&mut text);
    }
    text
}

/// The reference of a program: `generate --generate markdown` writes it, and programs' tests compare it with docs/reference.md.
#[must_use]
pub fn reference(command: Command) -> String {
    markdown(with_flag(command))
}

fn markdown(command: Command) -> String {
    let mut text = String::new();
    let name = command.get_name().to_owned();
    section(&mut text, &command, &name);
    for subcommand in subcommands(&command) {
        let name = format!("{name} {}", subcommand.get_name());
        section(&mut text, subcommand, &name);
    }
    text
}

fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|subcommand| subcommand.get_name() != "help")
}

/// A heading, what it does, and a table for each group of flags.
fn section(text: &mut String, command: &Command, name: &str) {
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, "## {name}\n\n{about}");
    let mut arguments: Vec<_> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
        .collect();
    let mut heading = None;
    // Flags of one heading may be defined apart; those without one come first, as in the help.
    let headings: Vec<_> = arguments.iter().map(|arg| arg.get_help_heading()).collect();
    arguments.sort_by_key(|argument| {
        let own = argument.get_help_heading();
        own.and_then(|_| headings.iter().position(|other| *other == own))
            .map_or(0, |position| position + 1)
    });
    for (index, argument) in arguments.iter().enumerate() {
        if index == 0 || argument.get_help_heading() != heading {
            heading = argument.get_help_heading();
            if let Some(heading) = heading {
                let _ = write!(text, "\n### {name}: {heading}\n");
            }
            let _ = writeln!(
                text,
                "\n| flag | variable | default | meaning |\n|---|---|---|---|"
            );
        }
        row(text, argument);
    }
    text.push('\n');
}

fn row(text: &mut String, argument: &Arg) {
    let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
    let values = argument.get_value_names().unwrap_or_default().join(" ");
    let mut flag = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, None) => String::new(),
    };
    if argument.is_positional() || argument.get_action().takes_values() {
        let separator = if flag.is_empty() { "" } else { " " };
        let _ = write!(flag, "{separator}<{values}>");
    }
    let variable = argument.get_env().map(|name| name.to_string_lossy());
    let defaults: Vec<_> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    let default = if argument.get_action().takes_values() && !defaults.is_empty() {
        code(&defaults.join(" "))
    } else {
        String::new()
    };
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let mut help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let possible: Vec<_> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set() && argument.get_action().takes_values())
        .map(|value| match value.get_help() {
            Some(help) => format!("{}: {help}", code(value.get_name())),
            None => code(value.get_name()),
        })
        .collect();
    if !possible.is_empty() {
        let _ = write!(help, " ({})", possible.join("; "));
    }
    let _ = writeln!(
        text,
        "| {} | {} | {default} | {} |",
        code(&flag),
        variable.map(|name| code(&name)).unwrap_or_default(),
        help.replace('|', "\\|"),
    );
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser, Subcommand};

    use super::*;

    /// Does something.
    #[derive(Parser)]
    #[command(name = "simple", version = "1.2.3")]
    struct Simple {
        /// What to ask
        _url: String,

        /// This one|or that
        #[arg(short, long, env = "SIMPLE_COUNT", default_value_t = 7)]
        _count: u32,

        /// Say more
        #[arg(long, help_heading = "Output")]
        _verbose: bool,
    }

    /// Does two things.
    #[derive(Parser)]
    #[command(name = "both", arg_required_else_help = true)]
    struct Both {
        #[command(subcommand)]
        _command: What,
        #[command(flatten)]
        _log: crate::log::LogFlags,
    }

    #[derive(Subcommand)]
    enum What {
        /// Serves it.
        Up {
            /// Say less
            #[arg(long)]
            _quiet: bool,
        },
    }

    fn requested<P: Parser>(arguments: &[&str]) -> Option<Generate> {
        let arguments: Vec<_> = ["x"].iter().chain(arguments).map(OsString::from).collect();
        Generate::requested(&with_flag(P::command()), &arguments)
    }

    #[test]
    fn nothing_else_is_required_then() {
        for arguments in [&["--generate", "man"][..], &["--generate=man"]] {
            assert_eq!(requested::<Simple>(arguments), Some(Generate::Man));
            assert_eq!(requested::<Both>(arguments), Some(Generate::Man));
        }
        assert_eq!(requested::<Simple>(&["http://x/"]), None);
        assert_eq!(
            requested::<Simple>(&["http://x/", "--generate", "man"]),
            None
        );
        assert_eq!(requested::<Both>(&["up"]), None);
    }

    #[test]
    fn all_forms_name_flags_and_subcommands() {
        for what in Generate::value_variants() {
            let text = |command| String::from_utf8(what.of(with_flag(command))).unwrap();
            let simple = text(Simple::command()).replace("\\-", "-");
            assert!(
                simple.contains("verbose") && simple.contains("generate"),
                "{what:?}: {simple}"
            );
            let both = text(Both::command());
            assert!(
                both.contains("up") && both.contains("quiet"),
                "{what:?}: {both}"
            );
        }
    }

    #[test]
    fn the_reference_is_a_table_for_each_heading() {
        let reference = reference(Simple::command());
        let expected = "\
## simple

Does something

| flag | variable | default | meaning |
|---|---|---|---|
| `<URL>` |  |  | What to ask |
| `-c, --count <COUNT>` | `SIMPLE_COUNT` | `7` | This one\\|or that |

### simple: Output

| flag | variable | default | meaning |
|---|---|---|---|
| `--verbose` |  |  | Say more |

### simple: Other
";
        assert!(reference.starts_with(expected), "{reference}");
        let both = super::reference(Both::command());
        assert_eq!(both.matches("--log-format").count(), 1, "{both}");
        assert!(both.contains("\n## both up\n\nServes it\n"), "{both}");
    }
}
