//! Pages for people: the linking page, the landing page, errors; and their few files.

use askama::Template;
use axum::{
    extract::Path,
    http::header,
    response::{Html, IntoResponse, Response},
};

use crate::{
    Fault,
    texts::{self, Landing, Lang, Linking, Way},
};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    lang: Lang,
    title: &'static str,
    message: String,
    next: &'static str,
    href: String,
    label: &'static str,
    outside: bool,
}

/// What an owner finds on opening the linking page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The salon comes for the first time, or has not finished.
    First,
    /// It was on, and its phone is linked no more.
    Again,
    /// There is nothing left to do.
    Done,
}

/// One of several branches that came together.
pub(crate) struct Branch {
    pub(crate) title: String,
    pub(crate) address: String,
    /// Where it is linked.
    pub(crate) href: String,
    /// This page is its page.
    pub(crate) here: bool,
    /// It is on.
    pub(crate) done: bool,
}

/// The salon of a linking page.
pub(crate) struct Salon<'a> {
    pub(crate) lang: Lang,
    pub(crate) title: &'a str,
    /// The name of its session on the wire.
    pub(crate) session: &'a str,
    pub(crate) stage: Stage,
    /// The number that is linked, or was; may be empty.
    pub(crate) phone: &'a str,
    /// All that came together, this one among them; empty where it came alone.
    pub(crate) branches: &'a [Branch],
}

#[derive(Template)]
#[template(path = "linking.html")]
struct LinkingPage<'a> {
    lang: Lang,
    words: Linking,
    words_json: String,
    salon: &'a Salon<'a>,
    heading: &'static str,
    lead: &'static str,
    done: bool,
    /// The next branch to link.
    next: Option<&'a Branch>,
}

#[derive(Template)]
#[template(path = "landing.html")]
struct LandingPage {
    lang: Lang,
    words: Landing,
}

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    lang: Lang,
}

fn html(page: &impl Template) -> Result<Response, Fault> {
    let text = page.render().map_err(Fault::internal)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Html(text)).into_response())
}

/// The page of an error; `again` is the address that was asked for.
pub(crate) fn error(fault: &Fault, lang: Lang, again: Option<String>) -> Response {
    let words = texts::fault(fault);
    let (href, label, outside) = match (words.way, again) {
        (Way::Again, Some(path)) => (path, texts::TRY_AGAIN, false),
        _ => ("https://yclients.com".to_owned(), texts::TO_YCLIENTS, true),
    };
    let page = ErrorPage {
        lang,
        title: words.title.in_lang(lang),
        message: fault.body(lang).message(),
        next: words.next.in_lang(lang),
        href,
        label: label.in_lang(lang),
        outside,
    };
    html(&page).unwrap_or_else(|_| words.message.in_lang(lang).into_response())
}

/// The linking page of that salon.
pub(crate) fn linking(salon: &Salon<'_>) -> Result<Response, Fault> {
    let words = texts::linking(salon.lang);
    let words_json = serde_json::to_string(&words).map_err(Fault::internal)?;
    let (heading, lead) = match salon.stage {
        Stage::Again => (words.again_title, words.again_lead),
        Stage::First | Stage::Done => (words.title, words.lead),
    };
    let next = salon.branches.iter().find(|branch| !branch.here && !branch.done);
    html(&LinkingPage { lang: salon.lang, words_json, salon, heading, lead, done: salon.stage == Stage::Done, next, words })
}

/// What this is, for whoever comes by.
pub(crate) async fn landing(lang: Lang) -> Result<Response, Fault> {
    html(&LandingPage { lang, words: texts::landing(lang) })
}

/// The API for people.
pub(crate) async fn docs(lang: Lang) -> Result<Response, Fault> {
    html(&DocsPage { lang })
}

/// The files of the pages; there are no others.
pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, Fault> {
    let (kind, file) = match name.as_str() {
        "app.css" => ("text/css; charset=utf-8", include_str!("../assets/app.css")),
        "linking.js" => ("text/javascript; charset=utf-8", include_str!("../assets/linking.js")),
        "docs.js" => ("text/javascript; charset=utf-8", include_str!("../assets/docs.js")),
        "icon.svg" => ("image/svg+xml", include_str!("../assets/icon.svg")),
        _ => return Err(Fault::NotFound),
    };
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=300")], file).into_response())
}
