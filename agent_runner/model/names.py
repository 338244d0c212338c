"""Names that a configuration may use though it does not define them."""

from collections.abc import Callable, Iterable

from attrs import frozen


@frozen
class KnownNames:
    """Providers and protocols that need no configuration, given by whoever knows them.

    The rooms that read what people write do not know the room that has the providers.

    plugged_in: names of providers and protocols of other packages. Asked only about a name that
    nobody else knows, for it reads the metadata of every installed package.
    """

    providers: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    plugged_in: Callable[[], Iterable[str]] = tuple
