"""Everyday phrases whose cosines with a picture say what an ordinary, unrelated phrase reaches there.

The first hundred are varied by hand: things, places, actions, weather, kinds of pictures, ideas. The second hundred are
names of common things, chosen among 269 by one rule: that median and 95th percentile over them come near to those over
2,203 phrases, on 100 pictures of Flickr8k with CLIP ViT-B/32. No label took part in the choice.
``python -m benchmarks real_clip`` measures what their number is worth.
"""

PHRASES = (
    # things
    "a wooden chair", "a bowl of soup", "a pair of scissors", "an old telephone", "a red umbrella", "a stack of books",
    "a leather shoe", "a birthday cake", "a glass of water", "a broken plate", "a silver spoon", "a wool sweater",
    "a guitar", "a chess board", "a candle", "a suitcase", "a bunch of keys", "a loaf of bread", "a mirror",
    # living things
    "a cat", "a flock of sheep", "a goldfish", "an elephant", "a butterfly", "a spider", "a horse", "a parrot",
    "a sunflower", "a cactus", "a baby", "an old man with a beard", "a nurse", "a chef", "a football player", "a crowd",
    # places
    "a kitchen", "a library", "a desert", "a snowy mountain", "a tropical beach", "a dense forest",
    "a hospital corridor", "a supermarket", "a church", "a classroom", "an airport", "a parking lot", "a farm",
    "a swimming pool", "a bridge", "a tunnel", "a waterfall", "a castle", "an office", "a bedroom",
    # vehicles and machines
    "a bicycle", "a train", "a sailing boat", "a fire truck", "a helicopter", "a tractor", "a washing machine",
    "a satellite", "a robot",
    # actions
    "people dancing", "someone reading a newspaper", "a person swimming", "cooking dinner", "playing the piano",
    "two people shaking hands", "someone climbing a ladder", "children running", "a woman laughing", "a man sleeping",
    "painting a wall", "fishing", "a surgeon at work",
    # weather, light and materials
    "a rainy day", "thick fog", "a sunset", "a starry sky", "a lightning bolt", "a rusty surface", "shiny metal",
    "a marble floor", "a cloud of smoke", "ripples on water",
    # pictures and signs
    "a pencil drawing", "a map", "a line of handwritten text", "a bar chart", "a company logo", "a blurry photo",
    "a black screen", "a close-up of a face", "a screenshot of a website",
    # ideas
    "happiness", "justice", "the number seven", "yesterday",
    # about the house
    "a basket", "a blanket", "a bookcase", "a bucket", "a cup", "a frying pan", "a glass", "a hammer", "a ladder",
    "a pillow", "a rocking chair", "a screwdriver", "a toothbrush", "a towel", "a toy", "a vase", "a wine bottle",
    # clothes
    "a belt", "a cowboy hat", "a glove", "a hat", "a helmet", "a necklace", "a necktie", "a raincoat", "a scarf",
    # food
    "a coconut", "a doughnut", "a hotdog", "a mushroom", "a pancake", "a peach", "a pretzel", "a sandwich",
    "a steak", "a tomato",
    # animals
    "a camel", "a cow", "a crab", "a deer", "a dog", "a dolphin", "a duck", "a frog", "a giraffe", "a hamster",
    "a lion", "a rhinoceros", "a squirrel", "a starfish", "a wolf",
    # vehicles
    "a boat", "a bus", "a car", "a motorcycle", "a sports car",
    # places
    "a cliff", "a grocery store", "a lakeside", "a patio", "a pier", "a seashore", "a stage", "a stone wall",
    "a suspension bridge", "a valley",
    # machines and media
    "a camera", "a cellular telephone", "a computer keyboard", "a dishwasher", "a microphone", "a painting",
    "a printer", "a radio", "a sewing machine", "a thermometer", "a traffic light", "a violin", "a wall clock",
    "a washer",
    # sports and play
    "a bowling ball", "a boxing glove", "a golf club", "a parachute", "a skateboard", "a sled", "a snowboard",
    "a snowman", "a soccer ball",
    # people, signs and other things
    "a ballplayer", "a bouquet", "a bridal gown", "a bubble", "a crown", "a daisy", "a person", "a scuba diver",
    "a spider web", "a statue", "a Christmas tree",
)  # fmt: skip
"""200 phrases, all different."""
