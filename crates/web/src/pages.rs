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

#[derive(Template)]
#[template(path = "linking.html")]
struct LinkingPage<'a> {
    lang: Lang,
    words: Linking,
    words_json: String,
    salon: &'a str,
    session: &'a str,
    state: &'a str,
    phone: &'a str,
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

/// The linking page of that salon. `state` is `done` where there is nothing left to do, else `link`.
pub(crate) fn linking(lang: Lang, salon: &str, session: &str, state: &str, phone: &str) -> Result<Response, Fault> {
    let words = texts::linking(lang);
    let words_json = serde_json::to_string(&words).map_err(Fault::internal)?;
    html(&LinkingPage { lang, words, words_json, salon, session, state, phone })
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
