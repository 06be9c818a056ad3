"""The words of CSS that a message may use: properties, functions, pseudo-classes."""

from __future__ import annotations

from webmail.markup.attributes import words

COLOURS = words("background background-color background-image color")
_SIDES = ["", "-top", "-right", "-bottom", "-left", "-block", "-block-start", "-block-end", "-inline", "-inline-start"]
_SIDES.append("-inline-end")
_ANYWHERE = words(
    """
    align-content align-items align-self aspect-ratio background background-attachment background-blend-mode
    background-clip background-color background-image background-origin background-position background-position-x
    background-position-y background-repeat background-size border-collapse border-radius border-top-left-radius
    border-top-right-radius border-bottom-left-radius border-bottom-right-radius border-spacing box-shadow
    box-sizing caption-side clear color color-scheme column-count column-gap column-width columns cursor direction
    display empty-cells flex flex-basis flex-direction flex-flow flex-grow flex-shrink flex-wrap float font
    font-family font-feature-settings font-kerning font-size font-size-adjust font-stretch font-style font-variant
    font-variant-caps font-variant-numeric font-weight gap grid grid-area grid-auto-columns grid-auto-flow
    grid-auto-rows grid-column grid-column-end grid-column-start grid-row grid-row-end grid-row-start grid-template
    grid-template-areas grid-template-columns grid-template-rows height hyphens inset inset-block inset-inline
    justify-content justify-items justify-self left right top bottom letter-spacing line-break line-height
    list-style list-style-image list-style-position list-style-type max-height max-width min-height min-width
    block-size inline-size max-block-size max-inline-size min-block-size min-inline-size mix-blend-mode object-fit
    object-position opacity order orphans outline outline-color outline-offset outline-style outline-width overflow
    overflow-wrap overflow-x overflow-y page-break-after page-break-before page-break-inside break-after
    break-before break-inside place-content place-items place-self position row-gap table-layout text-align
    text-align-last text-decoration text-decoration-color text-decoration-line text-decoration-style
    text-decoration-thickness text-indent text-justify text-orientation text-overflow text-shadow text-transform
    text-underline-offset unicode-bidi vertical-align visibility white-space widows width word-break word-spacing
    word-wrap writing-mode z-index -webkit-text-size-adjust -ms-text-size-adjust text-size-adjust
    -webkit-font-smoothing -webkit-text-fill-color
    """
)
PROPERTIES = (
    _ANYWHERE
    | {f"{name}{side}" for name in ("margin", "padding") for side in _SIDES}
    | {f"border{side}{part}" for side in _SIDES for part in ("", "-color", "-style", "-width")}
)
WITH_URL = words("background background-image list-style list-style-image")
WITH_STRING = words("font font-family font-feature-settings grid-template-areas grid-template")
ONLY = {"position": words("static relative absolute"), "color-scheme": words("light dark only normal")}
"""Properties that are kept with these values only."""
FUNCTIONS = words(
    """
    -webkit-linear-gradient calc clamp color-mix conic-gradient fit-content hsl hsla hwb lab lch light-dark
    linear-gradient max min minmax oklab oklch radial-gradient repeat repeating-linear-gradient
    repeating-radial-gradient rgb rgba
    """
)
PSEUDO_FUNCTIONS = words("is lang not nth-child nth-last-child nth-last-of-type nth-of-type where")
NO_COLOUR = words("inherit transparent none initial unset currentcolor")
