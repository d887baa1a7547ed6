"""The words of the captions: scenes, kinds of place, relations, templates. Things and attributes: ``thing_words``."""

from __future__ import annotations


def words_of(text: str) -> tuple[str, ...]:
    """Split a list of wordings at its commas."""
    return tuple(part.strip() for part in text.split(","))


def lists(groups: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Split the lists of all groups."""
    return {name: words_of(text) for name, text in groups.items()}


SCENE_WORDS = lists(
    {
        "football_pitch": (
            "football pitch, soccer field, football match, soccer game, football field, football stadium, "
            "players on a football pitch, people playing football, sports field, team playing soccer, "
            "football"
        ),
        "seaside": (
            "seaside, beach, beach by the sea, sandy beach, seashore, coast, sea and sand, people at the "
            "seaside, ocean shore, waves on a beach, holiday at the beach"
        ),
        "construction_site": (
            "construction site, building site, building under construction, construction work, site with "
            "tower cranes and excavators, workers building a house, unfinished building, concrete building "
            "with scaffolding, construction"
        ),
        "shipyard": (
            "shipyard, dockyard, ship under repair, ship in a dock, dry dock, dock with a ship and cranes, "
            "ship being built, shipbuilding yard, harbour with cranes and a ship, vessel in a shipyard"
        ),
        "city_street": (
            "city street, street, street in a city, street with cars and people, urban street, road between "
            "buildings, downtown street, street in town, avenue with shops, traffic in the city"
        ),
        "road": (
            "country road, road, car on a road, road through fields, highway, rural road, road in the "
            "countryside, drive in the country, motorway"
        ),
        "skyline": (
            "skyline, city skyline, skyscrapers, towers of a city, high-rise buildings, big city from afar, "
            "city seen across the water"
        ),
        "city_square": (
            "city square, advertising screens, billboards, big screens on a building, square in a city, "
            "advertising in the city"
        ),
        "night_city": (
            "city at night, night city, city lights, lit windows at night, night in the city, buildings at "
            "night, lit street at night, neon lights, neon signs at night"
        ),
        "mountains": (
            "mountains, mountain range, mountain landscape, snowy peaks, alps, mountain scenery, high mountains, peaks"
        ),
        "forest": "forest, woods, trees in a forest, woodland, path in a forest, deep forest, among the trees",
        "snow": (
            "snow landscape, winter landscape, snowy field, winter, snow covered trees, snowy scene, white "
            "winter day, snow on the ground"
        ),
        "desert": "desert, sand dunes, dry desert, dunes, hot desert, desert with rocks",
        "meadow": "meadow, green field, grass field, flowers in a meadow, pasture, grassland",
        "kitchen": (
            "kitchen, kitchen with cabinets, modern kitchen, room with a stove and a fridge, cooking in a "
            "kitchen, place to cook, home kitchen, kitchen interior"
        ),
        "office": (
            "office, office with desks, open-plan office, people working at computers, workplace with "
            "computers, desks and computers, office room, workplace"
        ),
        "living_room": (
            "living room, lounge, room with a sofa, sitting room, living room with a couch, home interior "
            "with a sofa, couch in a room"
        ),
        "black_frame": "black frame, black screen, blank screen, nothing but black, black picture, fade to black",
        "colour_field": "plain colour, plain background, coloured background, solid colour, single colour, flat colour",
        "title_card": (
            "title card, title, lettering, title screen, text on a plain background, name of a brand, words "
            "on the screen, caption card"
        ),
        "credits": (
            "credits, closing credits, end credits, rolling credits, list of names, names on black, end of "
            "the film, scrolling text"
        ),
        "bottle_table": (
            "bottle on a table, bottle, bottle and glass, drinks on a table, alcohol, alcoholic drink, "
            "bottle with a glass, something to drink"
        ),
        "lake": "lake, calm lake, lake with trees, water and trees, lakeside, landing stage on a lake",
        "waterfall": "waterfall, falling water, water over a cliff, cascade, waterfall in nature",
        "farm": "farm, barn in a field, barn, farmland, tractor on a farm, field with a barn, agriculture",
        "bridge": ("bridge, suspension bridge, bridge over water, arched bridge, long bridge, bridge across a river"),
        "train": "train, railway, train on the tracks, passenger train, railway train, train passing",
        "aeroplane": "aeroplane, airplane, plane, aircraft, airliner, plane in the sky, jet, airport",
        "ship": "ship at sea, ship, cargo ship, ship on the ocean, big vessel on the water, cruise ship, liner",
        "harbour": "harbour, marina, port with boats, boats in a harbour, sailing boats at a quay, harbor",
        "parking_lot": "parking lot, car park, parked cars, rows of cars, many cars parked",
        "swimming_pool": "swimming pool, pool, pool with lanes, swimmers in a pool, people swimming, swimming",
        "classroom": "classroom, school, blackboard, class with a teacher, lesson at school, school desks",
        "library": "library, bookshelves, shelves full of books, many books on shelves, reading room",
        "bedroom": "bedroom, bed, room with a bed, bed with pillows, place to sleep, hotel room",
        "bathroom": "bathroom, bathtub, toilet and wash basin, bath, room with a bathtub, washroom",
        "corridor": "corridor, hallway, long corridor with doors, passage, hall with doors",
        "restaurant": "restaurant, people dining, cafe, guests at laid tables, eating out, bar with guests",
        "supermarket": "supermarket, grocery store, shop with shelves of goods, shopping, store aisle, shop",
        "basketball_court": (
            "basketball court, basketball, basketball game, people playing basketball, basket on a board, sports hall"
        ),
        "crowd": "crowd of people, crowd in a street, many people together, mass of people, crowded place",
        "market": "market, market stalls, street market, stalls with fruit, marketplace, market with awnings",
        "concert": ("concert, band on a stage, live music, stage with lights, musicians on stage, show, concert stage"),
        "runner": "runner, person running, running, people running, jogging, jogger, athlete on a track, race",
        "cyclist": "cyclist, person on a bicycle, cycling, riding a bike, somebody riding a bicycle",
        "fire": ("fire, flames, burning fire, burning house, campfire, blaze, something on fire, smoke and flames"),
        "fireworks": "fireworks, firework display, fireworks in the night sky, rockets and sparks, firework",
        "night_sky": "night sky, moon, stars, moon and stars, starry sky, moon at night, full moon",
        "clouds": "clouds, sky, cloudy sky, sky with clouds, nothing but sky, heaven",
        "underwater": "underwater, under water, fish under water, coral reef, diver under water, aquarium",
        "fruit": "fruit, fruits, bowl of fruit, apples and oranges, fresh fruit, vegetables and fruit",
        "flower": "flowers, flower, blossoms, bunch of flowers, flowers close up, bouquet",
        "lights": "blurred lights, lights out of focus, round lights in the dark, bokeh, lights in the dark",
        "test_pattern": "test pattern, colour bars, test picture, colour stripes, television test pattern",
        "static": "static, noise, screen without a signal, white noise, no signal",
        "sunset": "sunset, sun going down, low sun, sundown over the water, setting sun, evening sun",
        "portrait": "face, portrait, face of a person, head and shoulders, person looking at the camera, human face",
        "dog": "dog, puppy, hound, dog on the grass, pet dog",
        "cat": "cat, kitten, sitting cat, pet cat, cat with whiskers",
        "horse": "horse, pony, brown horse, horse with a mane, riding horse",
        "cow": "cow, cattle, spotted cow, cow in a pasture, cows",
        "bird": "bird, bird on a branch, songbird, small bird, birds",
        "fish": "fish, fish in the water, swimming fish, one fish",
        "ball": "ball, round ball, ball on the floor, sphere",
        "box": "box, cube, box on the floor, block",
        "cup": "cup, mug, coffee cup, tea mug",
        "bottle": "single bottle, plain bottle, flask, bottle alone",
        "chair": "chair, wooden chair, seat, chair in a room",
        "door": "door, closed door, door in a wall, entrance, doorway",
        "umbrella": "umbrella, open umbrella, brolly, umbrella against the rain",
        "balloon": "balloon, toy balloon, balloon on a string, party balloon",
        "book": "book, closed book, novel, book with a cover",
        "suitcase": "suitcase, luggage, travel case, suitcase with wheels, baggage",
        "hat": "hat, hat with a brim, headgear, cap",
        "house": "house, small house, home, house with a roof, cottage",
        "cake": "cake, birthday cake, cake with candles, dessert, birthday",
        "clock": "clock, wall clock, clock with hands, time on a clock, round clock",
        "phone": "phone, smartphone, mobile phone, phone screen, cell phone",
        "computer": "laptop, computer, laptop screen, notebook computer, open laptop",
        "shoe": "shoe, sports shoe, sneaker, trainer, footwear",
        "guitar": "guitar, musical instrument, acoustic guitar, guitar with strings",
        "car": "car, automobile, passenger car, car from the side, cars",
        "bus": "bus, city bus, coach, public bus, long bus",
        "truck": "truck, lorry, heavy truck, truck with a load",
        "bicycle": "bicycle, bike, bicycle with two wheels, push bike",
        "boat": "boat, sailing boat, sailboat, small boat, yacht",
        "helicopter": "helicopter, chopper, helicopter with a rotor, rotor aircraft",
        "wall": "wall, plain wall, bare wall, empty wall, painted wall, wall of a room",
        "tile_wall": "tile wall, tiled wall, tiles on a wall, wall with tiles, wall of tiles",
        "stairs": "stairs, staircase, steps, stairway, stairs in a house, flight of steps",
        "television": "television, tv, tv set, tv on the wall, flat screen, television set",
        "dining": "dining table, table with chairs, dining room, table and chairs, place to eat",
        "couch": "couch, sofa, settee, couch in a living room, soft couch",
    }
)
"""Scenes by name; the first wording is the plain one."""
RELATED: tuple[tuple[str, str], ...] = (
    ("construction_site", "shipyard"),
    ("city_street", "skyline"),
    ("meadow", "road"),
    ("living_room", "office"),
)
KIND_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "industrial": (
        words_of("construction_site, shipyard"),
        words_of(
            "industrial site, industrial site with cranes, industry, heavy industry, heavy machinery at "
            "work, place of work with cranes, steel and cranes"
        ),
    ),
    "urban": (
        words_of("city_street, skyline, city_square, parking_lot"),
        words_of("city, town, urban scene, buildings in a city, urban area"),
    ),
    "nature": (
        words_of("mountains, forest, snow, desert, meadow, seaside, lake, waterfall"),
        words_of("nature, landscape, natural scenery, countryside without people, outdoors in nature"),
    ),
    "rooms": (
        words_of("kitchen, office, living_room, bedroom, bathroom, dining, couch"),
        words_of("room, interior, furniture, inside a house, room with furniture"),
    ),
    "sport": (
        words_of("football_pitch, basketball_court, runner, cyclist, swimming_pool"),
        words_of("sport, sports, athletes, sporting event"),
    ),
    "animals": (
        words_of("dog, cat, horse, cow, bird, fish"),
        words_of("animal, animals, pet, wildlife"),
    ),
    "vehicles": (
        words_of("car, bus, truck, train, aeroplane, ship, boat, bicycle, helicopter"),
        words_of("vehicle, means of transport, transport"),
    ),
    "text": (
        words_of("title_card, credits"),
        words_of("text, letters, written words, writing on the screen"),
    ),
    "water": (
        words_of("seaside, lake, waterfall, ship, harbour, swimming_pool, underwater, bridge"),
        words_of("water, lots of water"),
    ),
}
"""Kinds: the scenes that belong to one, and its wordings."""
ABSTRACT_WORDS = words_of(
    "something else, something different, anything else, another place, another scene, other, others, "
    "other things, none of these, none of them, background, nothing in particular, some other place, "
    "everything else, a different place, something, anything, unknown, rest of the video, other "
    "content, not this, a different scene"
)
TEMPLATES = words_of(
    "{}, {}, {}, {}, a {}, the {}, a photo of a {}, a photo of {}, a picture of a {}, a picture of {}, "
    "an image of a {}, an image of {}, a video of a {}, a frame showing a {}, a view of a {}, this is a "
    "{}, there is a {}, a scene with a {}, a video frame of {}, a shot of a {}, a rendering of a {}, a "
    "photo of the {}, footage of a {}, a film of {}"
)
